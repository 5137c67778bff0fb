import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { Tokens, type Grant } from '../../../src/web/tokens.ts';

const secret = 'a secret of at least thirty-two bytes';
const start = new Date('2026-03-01T12:00:00Z');
const visitor: Grant = {
  tenant: 'clinic',
  role: 'visitor',
  permissions: ['publish', 'hear'],
  profile: 'receptionist',
};

function later(seconds: number): () => Date {
  return () => new Date(start.getTime() + seconds * 1000);
}

/** The code that reading is refused with. */
async function refusal(tokens: Tokens, token: string): Promise<string> {
  try {
    await tokens.read(token);
    return 'none';
  } catch (error) {
    return error instanceof TrunklineError ? error.code : String(error);
  }
}

/** A token that is signed rightly and says what it likes. */
function forged(claims: Record<string, unknown>, alg = 'HS256'): Promise<string> {
  const issuedS = Math.floor(start.getTime() / 1000);
  return new SignJWT({ iss: 'trunkline', aud: 'trunkline', iat: issuedS, exp: issuedS + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
}

describe('a token', () => {
  it.each<Grant>([
    visitor,
    { tenant: 'clinic', role: 'human', permissions: ['publish', 'hear', 'end'], roomId: 'call_1' },
    { tenant: 'clinic', role: 'supervisor', permissions: ['hear'], roomId: 'call_1' },
    { tenant: 'clinic', role: 'observer', permissions: ['hear'], roomId: 'call_1' },
    { tenant: 'clinic', role: 'human', permissions: ['hear'], desk: true, name: 'Nora' },
    { tenant: 'clinic', role: 'human', permissions: ['hear'], roomId: 'call_1', handoffId: 'handoff_1' },
  ])('says what was put into it: $role', async (grant) => {
    const tokens = new Tokens({ secret, now: later(0) });
    expect(await tokens.read(await tokens.mint(grant, 60))).toEqual(grant);
  });

  it('is good at any gateway with the same secret', async () => {
    const token = await new Tokens({ secret, now: later(0) }).mint(visitor, 60);
    expect(await new Tokens({ secret, now: later(1) }).read(token)).toEqual(visitor);
  });

  it.each([
    [59, 'none'],
    [60, 'WEB_TOKEN_INVALID'],
    [3600, 'WEB_TOKEN_INVALID'],
  ])('of 60 s after %i s: %s', async (seconds, code) => {
    const token = await new Tokens({ secret, now: later(0) }).mint(visitor, 60);
    expect(await refusal(new Tokens({ secret, now: later(seconds) }), token)).toBe(code);
  });

  it('of another gateway is refused, and so is one of a secret made up at the start', async () => {
    const now = later(0);
    const foreign = await new Tokens({ secret: 'another secret of thirty-two bytes!', now }).mint(
      visitor,
      60,
    );
    expect(await refusal(new Tokens({ secret, now }), foreign)).toBe('WEB_TOKEN_INVALID');
    const random = await new Tokens({ secret: '', now }).mint(visitor, 60);
    expect(await refusal(new Tokens({ secret: '', now }), random)).toBe('WEB_TOKEN_INVALID');
  });

  it('that was changed anywhere is refused', async () => {
    const tokens = new Tokens({ secret, now: later(0) });
    const token = await tokens.mint(visitor, 60);
    const [head = '', body = '', signature = ''] = token.split('.');
    const supervisor = Buffer.from(JSON.stringify({ ...visitor, role: 'supervisor' })).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const changed of [
      `${head}.${supervisor}.${signature}`,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      `${head}.${body}.${signature.split('').reverse().join('')}`,
      `${head}.${body}`,
      'not a token',
      '',
    ])
      expect(await refusal(tokens, changed)).toBe('WEB_TOKEN_INVALID');
  });

  it.each([
    ['no tenant', { role: 'visitor', permissions: [], profile: 'p' }],
    ['no role', { tenant: 't', permissions: [], profile: 'p' }],
    ['a role that there is not', { tenant: 't', role: 'root', permissions: [], profile: 'p' }],
    ['a permission that there is not', { tenant: 't', role: 'human', permissions: ['all'], profile: 'p' }],
    ['neither room nor profile', { tenant: 't', role: 'human', permissions: [] }],
    ['both', { tenant: 't', role: 'human', permissions: [], profile: 'p', roomId: 'r' }],
    ['another issuer', { ...visitor, iss: 'somebody' }],
    ['another audience', { ...visitor, aud: 'somebody' }],
    ['no end', { ...visitor, exp: undefined }],
  ])('with %s is refused, however well it is signed', async (_what, claims) => {
    expect(await refusal(new Tokens({ secret, now: later(0) }), await forged(claims))).toBe(
      'WEB_TOKEN_INVALID',
    );
  });

  it('of another algorithm is refused', async () => {
    const token = await forged({ ...visitor }, 'HS512');
    expect(await refusal(new Tokens({ secret, now: later(0) }), token)).toBe('WEB_TOKEN_INVALID');
  });

  it('never gives more than its role may have', async () => {
    const token = await forged({ ...visitor, role: 'observer', permissions: ['publish', 'hear', 'end'] });
    const grant = await new Tokens({ secret, now: later(0) }).read(token);
    expect(grant.permissions).toEqual(['hear']);
  });
});

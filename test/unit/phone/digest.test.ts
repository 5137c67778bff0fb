import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  DigestGuard,
  authorization_chars_max,
  nonce_life_ms,
  nonces_kept_max,
} from '../../../src/phone/digest.ts';
import type { DigestTrunk } from '../../../src/phone/trunks.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { LOCAL_TRUNK } from '../../support/phone-door/stage.ts';

const trunk: DigestTrunk = { ...LOCAL_TRUNK, allow: [], auth: { username: 'u', password: 'p' } };
const carrier: DigestTrunk = {
  ...trunk,
  name: 'carrier',
  auth: { username: 'u', password: 'other', realm: 'carrier.example' },
};
const requestUri = 'sip:+15550100@gw';

interface Given {
  algorithm?: 'MD5' | 'SHA-256';
  password?: string;
  realm?: string;
  username?: string;
  nc?: string;
  qop?: string;
  uri?: string;
  method?: string;
}

function answer(nonce: string, given: Given = {}): string {
  const {
    algorithm = 'SHA-256',
    password = 'p',
    realm = 'trunkline',
    username = 'u',
    nc = '00000001',
  } = given;
  const { qop = 'auth', uri = requestUri, method = 'INVITE' } = given;
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const secret = hash(`${username}:${realm}:${password}`);
  const response = hash(`${secret}:${nonce}:${nc}:c0:auth:${hash(`${method}:${uri}`)}`);
  return (
    `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
    `response="${response}", algorithm=${algorithm}, cnonce="c0", nc=${nc}, qop=${qop}`
  );
}

const clock = new ManualClock();
const newGuard = (): DigestGuard => new DigestGuard(clock);
const nonceOf = (guard: DigestGuard): string =>
  /nonce="([^"]+)"/.exec(guard.challenges([trunk], false)[0] ?? '')?.[1] ?? '';
const check = (guard: DigestGuard, authorization?: string, trunks = [trunk]): unknown =>
  guard.verify({ method: 'INVITE', requestUri, authorization }, trunks);

describe('challenges', () => {
  it('offer MD5 first, then SHA-256, for each realm once, all with one nonce', () => {
    const challenges = newGuard().challenges([trunk, carrier, { ...carrier, name: 'second' }], false);
    const seen = challenges.map((text) =>
      /realm="([^"]+)".*algorithm=([\w-]+), qop="auth"$/.exec(text)?.slice(1),
    );
    expect(seen).toEqual([
      ['trunkline', 'MD5'],
      ['trunkline', 'SHA-256'],
      ['carrier.example', 'MD5'],
      ['carrier.example', 'SHA-256'],
    ]);
    expect(new Set(challenges.map((text) => /nonce="([^"]+)"/.exec(text)?.[1])).size).toBe(1);
  });

  it('say when a nonce was too old', () => {
    expect(newGuard().challenges([trunk], true)[0]).toMatch(/stale=true$/);
  });
});

describe('verify', () => {
  it('asks when nothing is given', () => {
    expect(check(newGuard())).toEqual({ outcome: 'challenge', stale: false });
  });

  for (const algorithm of ['MD5', 'SHA-256'] as const)
    it(`passes the right ${algorithm} answer`, () => {
      const guard = newGuard();
      expect(check(guard, answer(nonceOf(guard), { algorithm }))).toEqual({ outcome: 'passed', trunk });
    });

  it('finds the trunk by realm and user', () => {
    const guard = newGuard();
    const given = answer(nonceOf(guard), { realm: 'carrier.example', password: 'other' });
    expect(check(guard, given, [trunk, carrier])).toEqual({ outcome: 'passed', trunk: carrier });
  });

  const wrong: [string, Given][] = [
    ['password', { password: 'x' }],
    ['user', { username: 'x' }],
    ['realm', { realm: 'x' }],
    ['number in its URI', { uri: 'sip:+15550111@gw' }],
    ['method', { method: 'BYE' }],
    ['qop', { qop: 'auth-int' }],
  ];
  for (const [what, given] of wrong)
    it(`refuses another ${what}`, () => {
      const guard = newGuard();
      expect(check(guard, answer(nonceOf(guard), given))).toMatchObject({ outcome: 'refused' });
    });

  it('takes a host that a border controller rewrote', () => {
    const guard = newGuard();
    const given = answer(nonceOf(guard), { uri: 'sip:+15550100@other.example' });
    expect(check(guard, given)).toMatchObject({ outcome: 'passed' });
  });

  it('asks again on a replay, and takes the next count', () => {
    const guard = newGuard();
    const nonce = nonceOf(guard);
    expect(check(guard, answer(nonce, { nc: '00000002' }))).toMatchObject({ outcome: 'passed' });
    for (const nc of ['00000002', '00000001', 'zz'])
      expect(check(guard, answer(nonce, { nc }))).toEqual({ outcome: 'challenge', stale: true });
    expect(check(guard, answer(nonce, { nc: '0000000a' }))).toMatchObject({ outcome: 'passed' });
  });

  it('calls an old nonce stale for whoever knows the password, and only for them', () => {
    const guard = newGuard();
    const nonce = nonceOf(guard);
    clock.advance(nonce_life_ms + 1);
    expect(check(guard, answer(nonce))).toEqual({ outcome: 'challenge', stale: true });
    expect(check(guard, answer(nonce, { password: 'x' }))).toEqual({ outcome: 'challenge', stale: false });
  });

  it('takes no nonce that it did not make', () => {
    const guard = newGuard();
    for (const nonce of [nonceOf(newGuard()), 'made.up.nonce', `${nonceOf(guard)}x`, 'x'])
      expect(check(guard, answer(nonce))).toMatchObject({ outcome: 'challenge' });
  });

  it('remembers a bounded number of nonces, and takes none whose use it forgot', () => {
    const guard = newGuard();
    const first = nonceOf(guard);
    expect(check(guard, answer(first))).toMatchObject({ outcome: 'passed' });
    for (let made = 0; made < nonces_kept_max; made += 1) {
      clock.advance(1);
      expect(check(guard, answer(nonceOf(guard)))).toMatchObject({ outcome: 'passed' });
    }
    expect(check(guard, answer(first))).toEqual({ outcome: 'challenge', stale: true });
  });

  const broken: [string, string][] = [
    ['another scheme', 'Basic dTpw'],
    ['nothing in it', 'Digest '],
    ['no response', 'Digest username="u", realm="trunkline", nonce="n", uri="sip:a@b", qop=auth'],
    ['an unknown algorithm', answer('n').replace('SHA-256', 'SHA-512-256')],
    ['unbalanced quotes', 'Digest username="u, realm="x'],
    ['too much', `Digest ${'x'.repeat(authorization_chars_max)}`],
  ];
  for (const [what, authorization] of broken)
    it(`refuses ${what}`, () => {
      expect(check(newGuard(), authorization)).toMatchObject({ outcome: 'refused' });
    });
});

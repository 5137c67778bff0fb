import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../../src/store/store.ts';
import type { ApiKey } from '../../../../src/store/tables/api-keys.ts';
import { Access, actorOf } from '../../../../src/web/api/access.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const SECRET = 'a'.repeat(43);
const NOBODY = 'the key is not in the store';

/** A store that knows keys by their id, and counts how often it is asked. */
function storeOf(keys: Record<string, readonly string[]>): { store: Store; asked: () => number } {
  let asked = 0;
  const tenant = (name: string): Promise<ApiKey | undefined> => {
    asked += 1;
    const scopes = keys[name];
    if (scopes === undefined) return Promise.resolve(undefined);
    const never = { expires_at: null, revoked_at: null, last_used_at: null, replaced_by: null };
    const key_id = `key_${name}`;
    return Promise.resolve({
      ...{ tenant: name, key_id, name, scopes: [...scopes], created_at: new Date(), ...never },
    });
  };
  return { store: { tenant } as unknown as Store, asked: () => asked };
}

const request = (authorization?: string): FastifyRequest =>
  ({ headers: authorization === undefined ? {} : { authorization } }) as unknown as FastifyRequest;

const bearer = (tenant: string): string => `Bearer tl.${tenant}.key_x.${SECRET}`;

function access(keys: Record<string, readonly string[]>, requestsPerSecondMax = 100) {
  const clock = new ManualClock();
  const { store, asked } = storeOf(keys);
  return { access: new Access({ store, clock, requestsPerSecondMax }), clock, asked };
}

describe('who asks', () => {
  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', `Basic tl.acme.key_x.${SECRET}`],
    ['no key behind the scheme', 'Bearer '],
    ['a key in two words', `Bearer tl.acme .key_x.${SECRET}`],
    ['a key that is far too long', `Bearer ${'x'.repeat(400)}`],
  ])('is refused without a look into the store: %s', async (_what, header) => {
    const { access: door, asked } = access({ acme: ['admin'] });
    await expect(door.admit(request(header), 'calls:read')).rejects.toMatchObject({
      code: 'API_KEY_INVALID',
    });
    expect(asked()).toBe(0);
  });

  it.each([['Bearer'], ['bearer'], ['BEARER']])('may write %s', async (scheme) => {
    const { access: door } = access({ acme: ['admin'] });
    const asking = request(bearer('acme').replace('Bearer', scheme));
    await door.admit(asking, 'calls:read');
    expect(door.keyOf(asking).tenant).toBe('acme');
    expect(actorOf(door.keyOf(asking))).toBe('key:key_acme');
  });

  it('is known for the request that was admitted and for no other', async () => {
    const { access: door } = access({ acme: ['admin'], other: ['admin'] });
    const [ours, theirs] = [request(bearer('acme')), request(bearer('other'))];
    await Promise.all([door.admit(ours, 'calls:read'), door.admit(theirs, 'calls:read')]);
    expect(door.keyOf(ours).tenant).toBe('acme');
    expect(door.keyOf(theirs).tenant).toBe('other');
    expect(() => door.keyOf(request(bearer('acme')))).toThrow('not admitted');
  });

  it('is not admitted by a refusal', async () => {
    const { access: door } = access({ acme: [] });
    const [unknown, weak] = [request(bearer('nobody')), request(bearer('acme'))];
    await expect(door.admit(unknown, 'calls:read'), NOBODY).rejects.toMatchObject({
      code: 'API_KEY_INVALID',
    });
    await expect(door.admit(weak, 'calls:read')).rejects.toMatchObject({ code: 'API_FORBIDDEN' });
    expect(() => door.keyOf(weak)).toThrow('not admitted');
  });
});

describe('the pace', () => {
  it('is one per key, and comes back with time', async () => {
    const { access: door, clock } = access({ acme: ['admin'], other: ['admin'] }, 2);
    const ask = (tenant: string): Promise<void> => door.admit(request(bearer(tenant)), 'calls:read');
    await ask('acme');
    await ask('acme');
    await expect(ask('acme')).rejects.toMatchObject({ code: 'API_TOO_FAST' });
    await ask('other');
    clock.advance(500);
    await ask('acme');
    await expect(ask('acme')).rejects.toMatchObject({ code: 'API_TOO_FAST' });
  });

  it('is not spent by what is refused before', async () => {
    const { access: door } = access({ acme: ['calls:read'] }, 1);
    const ask = (wanted: 'calls:read' | 'contacts:read'): Promise<void> =>
      door.admit(request(bearer('acme')), wanted);
    await expect(ask('contacts:read')).rejects.toMatchObject({ code: 'API_FORBIDDEN' });
    await ask('calls:read');
  });
});

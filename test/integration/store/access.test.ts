/** Keys, the audit log and answers that are kept: what the API rests on. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store, TenantRows } from '../../../src/store/store.ts';
import { createApiKey, findApiKey, listApiKeys, revokeApiKey } from '../../../src/store/tables/api-keys.ts';
import {
  appendAudit,
  appendAudits,
  brokenAudit,
  listAudit,
  type NewAuditEntry,
} from '../../../src/store/tables/audit.ts';
import { once, type KeyedRequest } from '../../../src/store/tables/idempotency-keys.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const AT = new Date('2026-11-26T10:00:00.500Z');
const hour_ms = 3_600_000;

describe.each(DATABASES)('access on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other', 'tampered']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  describe('an API key', () => {
    const create = (expiresAt?: Date): ReturnType<typeof createApiKey> =>
      store.tenant('acme', (unit) =>
        createApiKey(unit, {
          name: 'ci',
          scopes: ['calls:read', 'messages:write'],
          ...(expiresAt && { expiresAt }),
        }),
      );
    const hasKey = async (key: string): Promise<boolean> => (await findApiKey(store, key)) !== undefined;

    it('ends when its time is over', async () => {
      const [past, future] = [await create(new Date(0)), await create(new Date(Date.now() + hour_ms))];
      expect([await hasKey(past.key), await hasKey(future.key)]).toEqual([false, true]);
    });

    it('may live on for a while beside the one that replaces it', async () => {
      const [old, young] = [await create(), await create()];
      const replacedBy = young.apiKey.key_id;
      const revoke = (at: Date): Promise<boolean> =>
        store.tenant('acme', (unit) => revokeApiKey(unit, old.apiKey.key_id, { at, replacedBy }));
      expect(await revoke(new Date(Date.now() + hour_ms))).toBe(true);
      expect(await hasKey(old.key)).toBe(true);
      // Sooner is possible, later is not: a key that is revoked never comes to life again.
      expect(await revoke(new Date(0))).toBe(true);
      expect(await hasKey(old.key)).toBe(false);
      expect(await revoke(new Date(Date.now() + hour_ms))).toBe(false);
      expect(await hasKey(old.key)).toBe(false);
      const listed = await store.tenant('acme', listApiKeys);
      expect(listed.find((one) => one.key_id === old.apiKey.key_id)).toMatchObject({
        replaced_by: replacedBy,
      });
    });

    it('remembers when it was used last', async () => {
      const { key, apiKey } = await create();
      expect(apiKey.last_used_at).toBeNull();
      expect((await findApiKey(store, key))?.last_used_at).toBeInstanceOf(Date);
    });

    it('cannot be used, listed or revoked by another tenant', async () => {
      const { key, apiKey } = await create();
      expect(await store.tenant('other', listApiKeys)).toEqual([]);
      const revoked = await store.tenant('other', (unit) => revokeApiKey(unit, apiKey.key_id, { at: AT }));
      expect([revoked, await hasKey(key)]).toEqual([false, true]);
    });

    it.each([
      ['nothing', ''],
      ['a name of SQL', "tl.acme' OR '1'='1.key_x.y"],
      ['the system’s own tenant', `tl._system.key_x.${'a'.repeat(43)}`],
      ['a right shape and a wrong secret', `tl.acme.key_x.${'a'.repeat(43)}`],
      ['something very long', `tl.acme.key_x.${'a'.repeat(100_000)}`],
    ])('is not %s', async (_what, presented) => {
      expect(await hasKey(presented)).toBe(false);
    });
  });

  describe('the audit log', () => {
    const entry = (key: string, more: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
      ...{ key, at: AT, actor: 'operator', action: 'call.ended', target: 'call_1' },
      ...more,
    });

    it('is read newest first, on from where one was', async () => {
      const keys = ['a', 'b', 'c', 'd'];
      for (const key of keys) await store.tenant('acme', (unit) => appendAudit(unit, entry(key)));
      const newest = await store.tenant('acme', (unit) => listAudit(unit, { limit: 2 }));
      const before = newest.at(-1)?.seq;
      const rest = await store.tenant('acme', (unit) => listAudit(unit, { limit: 10, before }));
      expect([...newest, ...rest].map((one) => one.audit_key)).toEqual([...keys].reverse());
    });

    it('takes many at once, each key once, into one chain', async () => {
      const add = (...keys: string[]) =>
        store.tenant('acme', (unit) =>
          appendAudits(
            unit,
            keys.map((key, at) => entry(key, { target: `of ${at}` })),
          ),
        );
      await Promise.all([add('x', 'y', 'x'), add('y', 'z')]);
      await add('x', 'z');
      const newest = await store.tenant('acme', (unit) => listAudit(unit, { limit: 4 }));
      const targets = Object.fromEntries(newest.map((one) => [one.audit_key, one.target]));
      // Of two with one key in one hand, the first; of two hands, whichever came first.
      expect(targets).toMatchObject({
        x: 'of 0',
        y: expect.stringMatching(/^of [01]$/) as unknown,
        z: 'of 1',
      });
      expect(Object.keys(targets)).toHaveLength(4);
      expect(await store.tenant('acme', brokenAudit)).toBeUndefined();
    });

    it('has a chain of its own for every tenant', async () => {
      await store.tenant('other', (unit) => appendAudit(unit, entry('first of other')));
      const [first] = await store.tenant('other', (unit) => listAudit(unit, { limit: 1 }));
      expect(first).toMatchObject({ seq: 1, prev_hash: '0'.repeat(64) });
    });

    it('takes any detail, in whatever order its keys are kept', async () => {
      const detail = { zebra: 1, a: { long: [1, { y: null, x: 'ü\u2028"' }], b: undefined }, n: 1.5e-7 };
      await store.tenant('acme', (unit) => appendAudit(unit, entry('detailed', { detail })));
      expect(await store.tenant('acme', brokenAudit)).toBeUndefined();
    });

    it('cannot be changed by the application, nor by its owner', async () => {
      const change = store.tenant('acme', ({ rows }) =>
        rows.updateTable('audit').set({ actor: 'nobody' }).where('seq', '=', 1).execute(),
      );
      await expect(change).rejects.toMatchObject({ code: '42501' });
      const remove = store.tenant('acme', ({ rows }) => rows.deleteFrom('audit').execute());
      await expect(remove).rejects.toMatchObject({ code: '42501' });
      const asOwner = store.tenant('acme', async ({ rows }) => {
        await sql`RESET ROLE`.execute(rows);
        await sql`DELETE FROM audit`.execute(rows);
      });
      await expect(asOwner).rejects.toThrow('append-only');
    });

    it.each([
      ['an entry was changed', `UPDATE audit SET actor = 'nobody' WHERE seq = 2`, 2],
      ['an entry is missing', 'DELETE FROM audit WHERE seq = 2', 2],
      ['the first entry is missing', 'DELETE FROM audit WHERE seq = 1', 1],
      ['detail was added', `UPDATE audit SET detail = '{"a": 2}' WHERE seq = 3`, 3],
      ['the time was moved', `UPDATE audit SET at = at + interval '1 s' WHERE seq = 1`, 1],
    ])('shows where %s by somebody with all rights', async (_what, statement, place) => {
      const undo = new Error('taken back');
      const tampered = store.tenant('tampered', async (unit) => {
        for (const key of ['a', 'b', 'c']) await appendAudit(unit, entry(key));
        expect(await brokenAudit(unit)).toBeUndefined();
        await sql`RESET ROLE`.execute(unit.rows);
        await sql`ALTER TABLE audit DISABLE TRIGGER audit_is_append_only`.execute(unit.rows);
        await sql.raw(statement).execute(unit.rows);
        expect(await brokenAudit(unit)).toBe(place);
        throw undo;
      });
      await expect(tampered).rejects.toBe(undo);
    });
  });

  describe('a request with a key', () => {
    const request = (more: Partial<KeyedRequest> = {}): KeyedRequest => ({
      ...{
        scope: 'POST /v1/messages',
        key: 'k1',
        fingerprint: 'f1',
        expiresAt: new Date(Date.now() + hour_ms),
      },
      ...more,
    });
    const parse = (stored: unknown): { n: number } => stored as { n: number };
    let runs = 0;
    const ask = (given: KeyedRequest, tenant = 'acme'): Promise<{ n: number }> =>
      store.tenant(tenant, (unit: TenantRows) =>
        once(unit, given, () => Promise.resolve({ n: (runs += 1) }), parse),
      );

    it('is done once per tenant, scope and key', async () => {
      const first = await ask(request());
      expect(await ask(request())).toEqual(first);
      expect(await ask(request({ scope: 'POST /v1/calls' }))).not.toEqual(first);
      expect(await ask(request({ key: 'k2' }))).not.toEqual(first);
      expect(await ask(request(), 'other')).not.toEqual(first);
    });

    it('is done again when it failed, and when its time is over', async () => {
      const failing = store.tenant('acme', (unit) =>
        once(unit, request({ key: 'k3' }), () => Promise.reject(new Error('no luck')), parse),
      );
      await expect(failing).rejects.toThrow('no luck');
      const late = await ask(request({ key: 'k3', expiresAt: new Date(0) }));
      expect(await ask(request({ key: 'k3' }))).not.toEqual(late);
    });

    it('is refused when the key came with another question', async () => {
      await ask(request({ key: 'k4' }));
      const other = ask(request({ key: 'k4', fingerprint: 'f2' }));
      await expect(other).rejects.toMatchObject({ code: 'STORE_KEY_REUSED' });
    });
  });
});

/**
 * Units of work beside each other: nobody waits for ever, nobody sees half of another's, nothing is done
 * twice.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store, TenantRows } from '../../../src/store/store.ts';
import { bookSlot } from '../../../src/store/tables/appointments.ts';
import { putActivities } from '../../../src/store/tables/activities.ts';
import { ensureCalls } from '../../../src/store/tables/calls.ts';
import { findContact, upsertContact } from '../../../src/store/tables/contacts.ts';
import { addDeadLetter } from '../../../src/store/tables/dead-letters.ts';
import { addMessage } from '../../../src/store/tables/messages.ts';
import { addTurns, turnsOf } from '../../../src/store/tables/turns.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const AT = new Date('2026-11-26T10:00:00.500Z');
const many = 12;

describe.each(DATABASES)('units of work on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme']);
    await store.tenant('acme', (unit) => ensureCalls(unit, { call_id: 'c', gateway: 'g', started_at: AT }));
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  /** The same work by many at the same time. */
  function together<T>(work: (unit: TenantRows, n: number) => Promise<T>): Promise<T[]> {
    const each = (_: unknown, n: number): Promise<T> => store.tenant('acme', (unit) => work(unit, n));
    return Promise.all(Array.from({ length: many }, each));
  }

  it('make one contact of many first words', async () => {
    const made = await together((unit, n) =>
      upsertContact(unit, { e164: '+15550161', attributes: { [`a${n}`]: n } }),
    );
    expect(new Set(made.map((one) => one.contact_id)).size).toBe(1);
    const found = await store.tenant('acme', (unit) => findContact(unit, { e164: '+15550161' }));
    expect(Object.keys(found?.attributes as object)).toHaveLength(many);
  });

  it('make one message, one dead letter and one activity of one key', async () => {
    const message = { idempotency_key: 'one', direction: 'outbound', status: 'queued', body: 'Hi' } as const;
    const messages = await together((unit) => addMessage(unit, message));
    expect(messages.filter((one) => one.isNew)).toHaveLength(1);
    expect(new Set(messages.map((one) => one.message.message_id)).size).toBe(1);
    const letter = { queue: 'sms', jobKey: 'one', payload: {}, code: 'X', detail: 'x', attempts: 1 };
    const letters = await together((unit) => addDeadLetter(unit, letter));
    expect(new Set(letters.map((one) => one.dead_letter_id)).size).toBe(1);
    const { contact_id: contactId } = await store.tenant('acme', (unit) =>
      upsertContact(unit, { e164: '+15550162' }),
    );
    const activity = { contactId, callId: 'c', kind: 'call', summary: 'x', outcome: null, occurredAt: AT };
    const activities = await together((unit) => putActivities(unit, [activity]));
    expect(new Set(activities.flat().map((one) => one.activity_id)).size).toBe(1);
  });

  it('are over with their work: whoever asks later is in no transaction of anybody', async () => {
    const late = await store.tenant('acme', (unit) => Promise.resolve({ unit }));
    const other = store.tenant('acme', (unit) => findContact(unit, { e164: '+15550163' }));
    await expect(upsertContact(late.unit, { e164: '+15550163' })).rejects.toThrow('is over');
    expect(await other).toBeUndefined();
  });

  it('commit nothing when a statement failed, though the work passed over it', async () => {
    const half = store.tenant('acme', async (unit) => {
      await upsertContact(unit, { e164: '+15550164' });
      await sql`SELECT no_such_column`.execute(unit.rows).catch(() => undefined);
    });
    await expect(half).rejects.toThrow('nothing is committed');
    const found = await store.tenant('acme', (unit) => findContact(unit, { e164: '+15550164' }));
    expect(found).toBeUndefined();
  });

  it('see one tenant however early they ask: what is sent together is done in its order', async () => {
    await store.ensureTenants(['acme', 'other']);
    const names = await Promise.all(
      ['acme', 'other', 'acme', 'other'].map((tenant) =>
        store.tenant(tenant, ({ rows }) =>
          Promise.all([1, 2, 3].map(() => rows.selectFrom('tenants').select('tenant').execute())),
        ),
      ),
    );
    const three = (tenant: string): object[][] => [[{ tenant }], [{ tenant }], [{ tenant }]];
    expect(names).toEqual(['acme', 'other', 'acme', 'other'].map(three));
  });

  it('keep turns that come twice, in any order and at the same time, once each', async () => {
    const turn = { call_id: 'c', who: 'agent', at_ms: 1, heard_ms: 1, response_ms: 1 } as const;
    await together((unit, n) =>
      addTurns(unit, [
        { ...turn, seq: n % 4, text: `turn ${n % 4}` },
        { ...turn, seq: (n + 1) % 4, text: `turn ${(n + 1) % 4}` },
      ]),
    ).catch((error: unknown) => {
      // Two that lock the same rows in opposite order: one gives way, and would be tried again.
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
    await store.tenant('acme', (unit) =>
      addTurns(
        unit,
        [0, 1, 2, 3].map((seq) => ({ ...turn, seq, text: `turn ${seq}` })),
      ),
    );
    const kept = await store.tenant('acme', (unit) => turnsOf(unit, 'c'));
    expect(kept.map((one) => one.text)).toEqual([0, 1, 2, 3].map((seq) => `turn ${seq}`));
  });

  it('fill a day with exactly as many bookings as it has slots', async () => {
    const slots = ['09:00', '09:30', '10:00'];
    const booked = await together((unit, n) =>
      bookSlot(unit, {
        ...{ calendar: 'default', callId: `call_${n}`, attemptId: `try_${n}`, name: 'Ada', timeZone: 'UTC' },
        ...{ day: '2026-12-07', time: slots[n % slots.length] ?? '' },
      }),
    );
    const confirmations = booked.flatMap((one) => (one === undefined ? [] : [one.confirmation]));
    expect(new Set(confirmations).size).toBe(slots.length);
    expect(confirmations).toHaveLength(slots.length);
  });

  it('do not see what another has not committed', async () => {
    const halfway = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const writing = store.tenant('acme', async (unit) => {
      await upsertContact(unit, { e164: '+15550163' });
      halfway.resolve(undefined);
      await goOn.promise;
    });
    await halfway.promise;
    const reading = store.tenant('acme', (unit) => findContact(unit, { e164: '+15550163' }));
    // PGlite lets the reader wait for its turn; Postgres answers at once. Neither shows half of something.
    if (kind === 'Postgres') expect(await reading).toBeUndefined();
    goOn.resolve(undefined);
    await writing;
    if (kind === 'PGlite') expect(await reading).toBeDefined();
  });

  it('go on when a client is killed in the middle of one: nothing of it stays', async () => {
    const script = ['test/support/store/stuck-client.ts', database.url];
    const client = spawn(process.execPath, script, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(client.stdout, 'data');
    const gone = once(client, 'exit');
    client.kill('SIGKILL');
    await gone;
    const found = await store.tenant('acme', (unit) => findContact(unit, { e164: '+15550160' }));
    expect(found).toBeUndefined();
    await expect(
      store.tenant('acme', (unit) => upsertContact(unit, { e164: '+15550160' })),
    ).resolves.toBeDefined();
  });

  it('wait for a free connection, and give up in time', async () => {
    const narrow = openStore(database.url, { connectionsMax: 1, timeoutMs: 300 });
    await narrow.ping();
    const goOn = Promise.withResolvers<undefined>();
    const holding = narrow.tenant('acme', () => goOn.promise);
    await expect(narrow.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    goOn.resolve(undefined);
    await holding;
    await expect(narrow.ping()).resolves.toBeUndefined();
    await narrow.close();
  });

  it('are of no tenant when none is named, whatever the query says', async () => {
    const count = ({ rows }: TenantRows): Promise<unknown> =>
      sql`SELECT count(*)::int AS n FROM contacts WHERE tenant = 'acme'`
        .execute(rows)
        .then((found) => found.rows);
    expect(await store.tenant('', count)).toEqual([{ n: 0 }]);
    expect(await store.tenant('acm', count)).toEqual([{ n: 0 }]);
    expect(await store.tenant("acme' OR true --", count)).toEqual([{ n: 0 }]);
  });
});

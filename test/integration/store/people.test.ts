import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { erasePerson, personalDataOf } from '../../../src/store/people.ts';
import type { Store } from '../../../src/store/store.ts';
import { optedOutOf } from '../../../src/store/tables/opt-outs.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { insertOne, TABLES } from '../../support/store/one-of-each.ts';

const PERSON = '+15550666';

describe.each(DATABASES)("one person's data on %s", (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
    for (const tenant of ['acme', 'other'])
      for (const table of TABLES.filter((one) => one !== 'tenants'))
        await store.tenant(tenant, (unit) => insertOne(unit, table, tenant));
    await store.tenant('acme', async ({ rows }) => {
      const tenant = 'acme';
      const message = { tenant, direction: 'inbound', status: 'received', body: 'my secret' } as const;
      await rows
        .insertInto('messages')
        .values({ ...message, message_id: 'm2', idempotency_key: 'k2', from_number: PERSON })
        .execute();
      const letter = { tenant, queue: 'crm', code: 'X', detail: 'y', attempts: 1 };
      await rows
        .insertInto('dead_letters')
        .values({ ...letter, dead_letter_id: 'd2', job_key: 'k2', payload: `{"to":"${PERSON}"}` })
        .execute();
      await rows
        .insertInto('calls')
        .values({
          tenant,
          call_id: 'foreign',
          gateway: 'g',
          started_at: new Date(),
          from_number: '+15550777',
        })
        .execute();
      await rows
        .insertInto('turns')
        .values({ tenant, call_id: 'foreign', seq: 0, who: 'caller', text: 'somebody else', at_ms: 1 })
        .execute();
    });
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  /** Every row of every table of a tenant, as text. */
  async function everything(tenant: string): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const table of TABLES) {
      const found = await store.tenant(tenant, ({ rows }) =>
        sql<{ text: string }>`SELECT t::text AS text FROM ${sql.table(table)} t`.execute(rows),
      );
      texts.set(table, found.rows.map((row) => row.text).join('\n'));
    }
    return texts;
  }

  it('is found whole, and nobody else', async () => {
    const data = await store.tenant('acme', (unit) => personalDataOf(unit, PERSON));
    expect(data.contact?.name).toBe('Secret');
    expect(data.calls.map((call) => call.call_id)).toEqual(['call_secret']);
    expect(data.turns.map((turn) => turn.text)).toEqual(['my secret']);
    expect(data.messages.map((message) => message.message_id)).toEqual(['m2']);
    expect(data.optOuts).toHaveLength(1);
  });

  it('of nobody is nothing', async () => {
    const data = await store.tenant('acme', (unit) => personalDataOf(unit, '+15550000'));
    expect(
      Object.values(data)
        .flat()
        .filter((one) => one !== null),
    ).toEqual([]);
  });

  it('is in no table any more once it is erased, but for the opt-out', async () => {
    const counts = await store.tenant('acme', (unit) => erasePerson(unit, PERSON));
    expect(counts).toMatchObject({ contacts: 1, calls: 1, turns: 1, toolCalls: 1, messages: 1 });
    const left = await everything('acme');
    for (const [table, text] of left) {
      if (table === 'opt_outs') continue;
      expect(text, table).not.toContain(PERSON);
      expect(text, table).not.toContain('my secret');
    }
    const of = { numbers: [PERSON], channel: 'sms' };
    expect(await store.tenant('acme', (unit) => optedOutOf(unit, of))).toContain(PERSON);
    expect(left.get('turns')).toContain('somebody else');
    expect(left.get('calls')).toContain('+15550777');
  });

  it('leaves that there was a call, and how it went', async () => {
    const data = await everything('acme');
    expect(data.get('calls')).toContain('call_secret');
    expect(data.get('turns')).toContain('[erased]');
  });

  it('of the same number at another tenant is as it was', async () => {
    const data = await store.tenant('other', (unit) => personalDataOf(unit, PERSON));
    expect(data.contact?.name).toBe('Secret');
    expect(data.turns.map((turn) => turn.text)).toEqual(['my secret']);
  });

  it.each([
    ['as the carrier wrote it, without its plus', { from_number: '15550888' }],
    ['as the one who was called', { to_number: '+15550888' }],
  ])('is found by a call %s', async (_how, numbers) => {
    await store.tenant('acme', async ({ rows }) => {
      const call = { tenant: 'acme', call_id: `call_${Object.keys(numbers).join()}`, gateway: 'g' };
      await rows
        .insertInto('calls')
        .values({ ...call, started_at: new Date(), ...numbers })
        .execute();
    });
    const data = await store.tenant('acme', (unit) => personalDataOf(unit, '+15550888'));
    expect(data.calls).toHaveLength(1);
    expect(await store.tenant('acme', (unit) => erasePerson(unit, '+15550888'))).toMatchObject({ calls: 1 });
    const left = await everything('acme');
    expect(left.get('calls')).not.toContain('15550888');
  });

  it('is whole again when its erasure is not finished', async () => {
    const stopped = new Error('the process was killed');
    const half = store.tenant('other', async (unit) => {
      await erasePerson(unit, PERSON);
      throw stopped;
    });
    await expect(half).rejects.toBe(stopped);
    const data = await store.tenant('other', (unit) => personalDataOf(unit, PERSON));
    expect(data.contact?.name).toBe('Secret');
    expect(data.calls).toHaveLength(1);
  });

  it('is erased in what was said of appointments, whose slots stay taken', async () => {
    const { rows } = await store.tenant('other', ({ rows: tables }) =>
      sql<{ name: string; status: string }>`SELECT name, status FROM appointments`.execute(tables),
    );
    expect(rows).toEqual([{ name: 'Secret', status: 'booked' }]);
  });

  it('does not take with it what only looks like it', async () => {
    await store.tenant('acme', async ({ rows }) => {
      const letter = { tenant: 'acme', queue: 'crm', code: 'X', detail: 'y', attempts: 1 };
      await rows
        .insertInto('dead_letters')
        .values({ ...letter, dead_letter_id: 'alike', job_key: 'alike', payload: '{"to":"+1555X999"}' })
        .execute();
    });
    await store.tenant('acme', (unit) => erasePerson(unit, '+1555_999'));
    expect((await everything('acme')).get('dead_letters')).toContain('alike');
  });

  it('that is erased again is nothing', async () => {
    const counts = await store.tenant('acme', (unit) => erasePerson(unit, PERSON));
    expect(Object.values(counts).every((count) => count === 0)).toBe(true);
  });
});

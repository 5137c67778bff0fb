/** Rows of several calls, people and texts in one statement: as if each had been asked for alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store, TenantRows } from '../../../src/store/store.ts';
import { putActivities } from '../../../src/store/tables/activities.ts';
import { addCallEvents, countCallEvents } from '../../../src/store/tables/call-events.ts';
import { findCalls, openCalls, updateCalls } from '../../../src/store/tables/calls.ts';
import { upsertContacts } from '../../../src/store/tables/contacts.ts';
import { addMessages, changeMessages, type NewMessage } from '../../../src/store/tables/messages.ts';
import { optedOutOf, setOptOut } from '../../../src/store/tables/opt-outs.ts';
import { addTurns, turnsOf } from '../../../src/store/tables/turns.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const [ONE, OTHER, THIRD] = ['+15550151', '+15550152', '+15550153'];

describe.each(DATABASES)('several at once, on %s,', (kind) => {
  let database: TestDatabase;
  let store: Store;
  const unit = <T>(work: (unit: TenantRows) => Promise<T>, tenant = 'acme'): Promise<T> =>
    store.tenant(tenant, work);
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
    const started_at = new Date('2026-03-02T10:00:00Z');
    const call = { gateway: 'g', source: 'phone', sip_call_id: '', trunk: '', profile: '' } as const;
    const numbers = { from_number: ONE, to_number: OTHER, started_at };
    for (const tenant of ['acme', 'other'])
      await unit(
        (rows) => openCalls(rows, ...['a', 'b'].map((call_id) => ({ ...call, ...numbers, call_id }))),
        tenant,
      );
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  it('calls are found and changed, and nobody else’s', async () => {
    await unit((rows) =>
      updateCalls(
        rows,
        'summary',
        new Map([
          ['a', 'One "A"'],
          ['b', null],
          ['c', 'No'],
        ]),
      ),
    );
    await unit((rows) =>
      updateCalls(
        rows,
        'answered_ms',
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ),
    );
    await unit((rows) => updateCalls(rows, 'answered_ms', new Map()));
    const known = (await unit((rows) => findCalls(rows, ['b', 'a', 'c']))).map((call) => [
      ...[call.call_id, call.summary, call.answered_ms],
    ]);
    expect(known.sort()).toEqual([
      ['a', 'One "A"', 1],
      ['b', null, 2],
    ]);
    const others = await unit((rows) => findCalls(rows, ['a', 'b']), 'other');
    expect(others.map((call) => [call.summary, call.answered_ms])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it('facts are read call by call, in order, and events are counted', async () => {
    const turn = { who: 'caller', at_ms: 0, heard_ms: null, response_ms: null } as const;
    const turns = [
      { ...turn, call_id: 'b', seq: 1, text: 'b1' },
      { ...turn, call_id: 'a', seq: 2, text: 'a2' },
      { ...turn, call_id: 'b', seq: 0, text: 'b0' },
    ];
    await unit((rows) => addTurns(rows, turns));
    const read = await unit((rows) => turnsOf(rows, 'b', 'a', 'c'));
    expect(read.map((one) => one.text)).toEqual(['a2', 'b0', 'b1']);
    const events = [0, 1, 2].map((seq) => ({ call_id: 'a', seq, at_ms: 0, type: 'held', fact: {} }));
    await unit((rows) => addCallEvents(rows, events));
    expect(await unit((rows) => countCallEvents(rows, ['a', 'b']))).toEqual(new Map([['a', 3]]));
    expect(await unit((rows) => countCallEvents(rows, []))).toEqual(new Map());
  });

  it('people are made or changed, with an activity each', async () => {
    const first = await unit((rows) => upsertContacts(rows, [{ e164: ONE, name: 'Ada' }, { e164: OTHER }]));
    const again = await unit((rows) => upsertContacts(rows, [{ e164: OTHER, name: 'Tom' }, { e164: ONE }]));
    const nameOf = new Map(again.map(({ e164, name, contact_id }) => [e164, { name, contact_id }]));
    expect([nameOf.get(ONE)?.name, nameOf.get(OTHER)?.name]).toEqual(['Ada', 'Tom']);
    expect(again.map((one) => one.contact_id).sort()).toEqual(first.map((one) => one.contact_id).sort());
    const activity = { kind: 'call', outcome: null, occurredAt: new Date('2026-03-02T10:00:00Z') };
    const activities = again.map(({ contact_id: contactId, e164 }) => ({
      ...{ ...activity, contactId, callId: e164 === ONE ? 'a' : 'b', summary: e164 },
    }));
    const put = await unit((rows) => putActivities(rows, activities));
    const later = activities.map((one) => ({ ...one, summary: `${one.summary} later` }));
    const changed = await unit((rows) => putActivities(rows, later));
    expect(changed.map((one) => one.activity_id).sort()).toEqual(put.map((one) => one.activity_id).sort());
    expect(changed.map((one) => one.summary).sort()).toEqual([`${ONE} later`, `${OTHER} later`]);
    expect(await unit((rows) => Promise.all([upsertContacts(rows, []), putActivities(rows, [])]))).toEqual([
      [],
      [],
    ]);
  });

  it('texts are kept once for each key, told in the order they were asked in, and changed', async () => {
    const text = (key: string): NewMessage => ({
      ...{ idempotency_key: key, direction: 'outbound', status: 'queued', body: key, to_number: ONE },
    });
    await unit((rows) => addMessages(rows, [text('m')]));
    const added = await unit((rows) => addMessages(rows, ['z', 'm', 'a'].map(text)));
    expect(added.map(({ message, isNew }) => [message.body, isNew])).toEqual([
      ['z', true],
      ['m', false],
      ['a', true],
    ]);
    const ids = added.map(({ message }) => message.message_id);
    await unit((rows) => changeMessages(rows, ids.slice(0, 2), { status: 'sent' }));
    await unit((rows) => changeMessages(rows, ids, { provider: 'x' }), 'other');
    const known = await unit((rows) => addMessages(rows, ['z', 'm', 'a'].map(text)));
    expect(known.map(({ message }) => [message.status, message.provider])).toEqual([
      ['sent', null],
      ['sent', null],
      ['queued', null],
    ]);
  });

  it('those who want nothing are known, and no others', async () => {
    const change = (e164: string, optedOut: boolean): Promise<void> =>
      unit((rows) => setOptOut(rows, { e164, channel: 'sms', optedOut, reason: 'test' }));
    await change(ONE, true);
    await change(OTHER, true);
    await change(OTHER, false);
    const of = (channel: string, tenant?: string): Promise<Set<string>> =>
      unit((rows) => optedOutOf(rows, { numbers: [ONE, OTHER, THIRD], channel }), tenant);
    expect(await of('sms')).toEqual(new Set([ONE]));
    expect([await of('note'), await of('sms', 'other')]).toEqual([new Set(), new Set()]);
  });
});

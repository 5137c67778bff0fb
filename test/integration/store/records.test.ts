/** Tables of what a call leaves behind beside its transcript. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { activitiesOf, linkActivity, putActivities } from '../../../src/store/tables/activities.ts';
import {
  bookSlot,
  findAppointment,
  linkAppointment,
  listAppointments,
} from '../../../src/store/tables/appointments.ts';
import { addCallEvents, callEventsOf } from '../../../src/store/tables/call-events.ts';
import { ensureCalls, findCall, listCalls, updateCalls } from '../../../src/store/tables/calls.ts';
import { findContact, listContacts, upsertContact } from '../../../src/store/tables/contacts.ts';
import {
  addDeadLetter,
  findDeadLetter,
  listDeadLetters,
  settleDeadLetter,
} from '../../../src/store/tables/dead-letters.ts';
import { legsOf, putLeg } from '../../../src/store/tables/legs.ts';
import { addMessage, changeMessage, findMessage, listMessages } from '../../../src/store/tables/messages.ts';
import { addToolCalls, toolCallsOf } from '../../../src/store/tables/tool-calls.ts';
import { addUsage, usageOf } from '../../../src/store/tables/usage.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const AT = new Date('2026-11-26T10:00:00.500Z');
const call_id = 'call_1';

describe.each(DATABASES)('records on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme']);
    await store.tenant('acme', (unit) => ensureCalls(unit, { call_id, gateway: 'gw', started_at: AT }));
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  it('tell a leg once, with its latest statistics', async () => {
    const leg = {
      leg_id: 'leg_1',
      call_id,
      kind: 'phone',
      codec: 'pcmu',
      opened_at: AT,
      closed_at: null,
      stats: null,
    };
    await store.tenant('acme', (unit) => putLeg(unit, leg));
    const closed = { ...leg, closed_at: new Date(AT.getTime() + 5000), stats: { lost: 3, mos: 4.1 } };
    await store.tenant('acme', (unit) => putLeg(unit, closed));
    expect(await store.tenant('acme', (unit) => legsOf(unit, call_id))).toEqual([
      { tenant: 'acme', ...closed },
    ]);
  });

  it('keep tool calls with what they were given and what they answered', async () => {
    const call = {
      call_id,
      seq: 4,
      name: 'book_appointment',
      at_ms: 4000,
      took_ms: 12,
      code: null,
      ok: true,
    };
    const calls = [
      { ...call, arguments: { name: 'Zoë "Z" O’Neil', day: '2026-12-01' }, result: { ok: true } },
      { ...call, seq: 2, arguments: null, result: [1, 'two'], ok: false, code: 'TOOL_FAILED', took_ms: null },
    ];
    await store.tenant('acme', (unit) => addToolCalls(unit, calls));
    await store.tenant('acme', (unit) => addToolCalls(unit, calls));
    const kept = await store.tenant('acme', (unit) => toolCallsOf(unit, call_id));
    expect(kept).toEqual([calls[1], calls[0]].map((one) => ({ tenant: 'acme', ...one })));
  });

  it('keep events of any kind, and nothing at all without complaint', async () => {
    const event = { call_id, at_ms: 5 };
    const events = [
      { ...event, seq: 0, type: 'ringing', fact: {} },
      { ...event, seq: 1, type: 'trouble', fact: { code: 'TOOL_FAILED', detail: 'no luck' } },
    ];
    await store.tenant('acme', (unit) => addCallEvents(unit, events));
    await store.tenant('acme', (unit) =>
      addCallEvents(
        unit,
        [events[1], events[1]].filter((one) => one !== undefined),
      ),
    );
    await store.tenant('acme', (unit) => addCallEvents(unit, []));
    const kept = await store.tenant('acme', (unit) => callEventsOf(unit, call_id));
    expect(kept.map((one) => [one.seq, one.type, one.fact])).toEqual([
      [0, 'ringing', {}],
      [1, 'trouble', { code: 'TOOL_FAILED', detail: 'no luck' }],
    ]);
  });

  it('count usage that is told twice once', async () => {
    const usage = { call_id, kind: 'model', provider: 'openai', model: 'm', at: AT, cost_micros: null };
    const told = [
      { ...usage, usage_key: 'call_1/7', unit: 'output_tokens', quantity: 20.5 },
      { ...usage, usage_key: 'call_1/7', unit: 'input_tokens', quantity: 10 },
    ];
    await store.tenant('acme', (unit) => addUsage(unit, told));
    await store.tenant('acme', (unit) => addUsage(unit, told));
    const kept = await store.tenant('acme', (unit) => usageOf(unit, call_id));
    expect(kept.map((one) => [one.unit, one.quantity])).toEqual([
      ['input_tokens', 10],
      ['output_tokens', 20.5],
    ]);
  });

  it('have one activity of a kind per call, with the later summary', async () => {
    const contact = await store.tenant('acme', (unit) => upsertContact(unit, { e164: '+15550130' }));
    const contactId = contact.contact_id;
    const activity = {
      contactId,
      callId: call_id,
      kind: 'call',
      summary: 'Called.',
      outcome: null,
      occurredAt: AT,
    };
    const put = (summary: string): ReturnType<typeof putActivities> =>
      store.tenant('acme', (unit) => putActivities(unit, [{ ...activity, summary, outcome: 'booked' }]));
    const [first, second] = [await put('Called.'), await put('Called and booked.')];
    const activity_id = first[0]?.activity_id ?? '';
    expect(second).toMatchObject([{ activity_id, summary: 'Called and booked.' }]);
    await store.tenant('acme', (unit) => linkActivity(unit, activity_id, { hubspot: '9' }));
    const byContact = await store.tenant('acme', (unit) => activitiesOf(unit, { contactId }));
    const byCall = await store.tenant('acme', (unit) => activitiesOf(unit, { callId: call_id }));
    expect(byContact).toEqual(byCall);
    expect(byCall[0]?.external).toEqual({ hubspot: '9' });
  });

  it('find a contact by its number and by its id, and list the latest change first', async () => {
    const change = (e164: string, name: string): ReturnType<typeof upsertContact> =>
      store.tenant('acme', (unit) => upsertContact(unit, { e164, name }));
    const ada = await change('+15550131', 'Ada');
    expect(await store.tenant('acme', (unit) => findContact(unit, { e164: ada.e164 }))).toEqual(ada);
    const { contact_id: contactId } = ada;
    expect(await store.tenant('acme', (unit) => findContact(unit, { contactId }))).toEqual(ada);
    expect(await store.tenant('acme', (unit) => findContact(unit, { e164: '+15550000' }))).toBeUndefined();
    const { rows, next } = await store.tenant('acme', (unit) => listContacts(unit, { limit: 1 }));
    const rest = await store.tenant('acme', (unit) =>
      listContacts(unit, { limit: 100, cursor: next ?? undefined }),
    );
    expect(new Set([...rows, ...rest.rows].map((row) => row.e164))).toEqual(
      new Set(['+15550130', '+15550131']),
    );
  });

  it('answer what was asked about calls', async () => {
    await store.tenant('acme', (unit) =>
      Promise.all([
        updateCalls(unit, 'answered_ms', new Map([[call_id, 900]])),
        updateCalls(unit, 'summary', new Map([[call_id, 'A booking.']])),
      ]),
    );
    const found = await store.tenant('acme', (unit) => findCall(unit, call_id));
    expect(found).toMatchObject({ answered_ms: 900, summary: 'A booking.', ending: null, ended_at: null });
    const none = await store.tenant('acme', (unit) =>
      listCalls(unit, { limit: 5, fromNumber: '+1', ending: 'caller-hung-up' }),
    );
    expect(none).toEqual({ rows: [], next: null });
    expect(await store.tenant('acme', (unit) => findCall(unit, 'call_none'))).toBeUndefined();
  });

  it('follow a message from the queue to its receipt', async () => {
    const { message } = await store.tenant('acme', (unit) =>
      addMessage(unit, {
        ...{ idempotency_key: 'm1', direction: 'outbound', status: 'queued', to_number: '+15550132' },
        ...{ body: 'See you!', call_id, attributes: { template: 'reminder' } },
      } as const),
    );
    const { message_id: messageId } = message;
    const provider = { provider: 'twilio', provider_message_id: 'SM1' };
    await store.tenant('acme', (unit) =>
      changeMessage(unit, { messageId }, { status: 'sent', segments: 1, sent_at: AT, ...provider }, [
        'queued',
      ]),
    );
    const receipt = { provider: 'twilio', providerMessageId: 'SM1' };
    await store.tenant('acme', (unit) =>
      changeMessage(unit, receipt, { status: 'delivered', delivered_at: AT }, ['sent', 'delivered']),
    );
    expect(await store.tenant('acme', (unit) => findMessage(unit, messageId))).toMatchObject({
      ...{ status: 'delivered', segments: 1, delivered_at: AT, attributes: { template: 'reminder' } },
    });
    const { rows } = await store.tenant('acme', (unit) => listMessages(unit, { limit: 5, callId: call_id }));
    expect(rows.map((row) => row.message_id)).toEqual([messageId]);
    const notes = await store.tenant('acme', (unit) => listMessages(unit, { limit: 5, channel: 'note' }));
    expect(notes.rows).toEqual([]);
  });

  it('list appointments by day and time, within the days that are asked for', async () => {
    const book = (day: string, time: string): ReturnType<typeof bookSlot> =>
      store.tenant('acme', (unit) =>
        bookSlot(unit, {
          ...{
            calendar: 'default',
            callId: call_id,
            attemptId: `${day}${time}`,
            name: 'Ada',
            e164: '+15550131',
          },
          ...{ day, time, timeZone: 'UTC', durationMin: 45 },
        }),
      );
    await book('2026-12-03', '09:00');
    await book('2026-12-02', '16:30');
    const first = await book('2026-12-02', '08:15');
    const id = first?.appointment_id ?? '';
    await store.tenant('acme', (unit) => linkAppointment(unit, id, { caldav: 'uid-1' }));
    const days = {
      fromDay: '2026-12-02',
      toDay: '2026-12-02',
      calendar: 'default',
      callId: call_id,
      limit: 10,
    };
    const listed = await store.tenant('acme', (unit) => listAppointments(unit, days));
    expect(listed.map((one) => one.time)).toEqual(['08:15', '16:30']);
    expect(await store.tenant('acme', (unit) => findAppointment(unit, id))).toMatchObject({
      ...{ external: { caldav: 'uid-1' }, duration_min: 45, e164: '+15550131' },
    });
  });

  it('keep a dead letter until it is replayed or put away, once per job', async () => {
    const letter = {
      queue: 'sms',
      jobKey: 'j1',
      payload: { v: 9 },
      code: 'X',
      detail: 'd'.repeat(9000),
      attempts: 3,
    };
    const add = (): ReturnType<typeof addDeadLetter> =>
      store.tenant('acme', (unit) => addDeadLetter(unit, letter));
    const { dead_letter_id: id, detail } = await add();
    expect(detail).toHaveLength(4000);
    const settle = (how: 'replayed' | 'discarded'): ReturnType<typeof settleDeadLetter> =>
      store.tenant('acme', (unit) => settleDeadLetter(unit, id, how));
    const waiting = async (): Promise<number> =>
      (await store.tenant('acme', (unit) => listDeadLetters(unit, { limit: 5, queue: 'sms' }))).rows.length;
    expect(await settle('replayed')).toMatchObject({ replays: 1, payload: { v: 9 } });
    expect([await settle('replayed'), await waiting()]).toEqual([undefined, 0]);
    // It failed again: the same letter waits anew.
    expect((await add()).dead_letter_id).toBe(id);
    expect(await waiting()).toBe(1);
    await settle('discarded');
    expect(await waiting()).toBe(0);
    expect(await store.tenant('acme', (unit) => findDeadLetter(unit, id))).toMatchObject({ replays: 1 });
  });
});

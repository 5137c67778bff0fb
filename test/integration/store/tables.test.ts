import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/store/store.ts';
import { createApiKey, findApiKey, listApiKeys, revokeApiKey } from '../../../src/store/tables/api-keys.ts';
import {
  bookSlot,
  cancelAppointment,
  listAppointments,
  withdrawAttempt,
  type SlotBooking,
} from '../../../src/store/tables/appointments.ts';
import { appendAudit, brokenAudit, listAudit } from '../../../src/store/tables/audit.ts';
import { endCall, ensureCalls, findCall, listCalls, openCalls } from '../../../src/store/tables/calls.ts';
import { linkContact, listContacts, upsertContact } from '../../../src/store/tables/contacts.ts';
import { once } from '../../../src/store/tables/idempotency-keys.ts';
import { addMessage, changeMessage } from '../../../src/store/tables/messages.ts';
import { optedOutOf, setOptOut } from '../../../src/store/tables/opt-outs.ts';
import { addTurns, turnsOf } from '../../../src/store/tables/turns.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const STARTED = new Date('2026-11-26T10:00:00.123Z');

describe.each(DATABASES)('the tables on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  it('keep a call that is told twice once, with its particulars, whichever word came first', async () => {
    const call = { call_id: 'call_1', gateway: 'gw', started_at: STARTED };
    await store.tenant('acme', async (unit) => {
      await ensureCalls(unit, call);
      const particulars = { source: 'phone', sip_call_id: 's1', trunk: 'local', profile: 'desk' } as const;
      const opened = { ...call, ...particulars, from_number: '+15550100', to_number: '+15550199' };
      await openCalls(unit, opened);
      await openCalls(unit, opened);
      const end = {
        ending: 'caller-hung-up',
        ending_class: 'success',
        ending_detail: null,
        media: { mos: 4.4 },
      };
      await endCall(unit, 'call_1', {
        ...end,
        ended_at: new Date(STARTED.getTime() + 9000),
        duration_ms: 9000,
      });
    });
    const found = await store.tenant('acme', (unit) => findCall(unit, 'call_1'));
    expect(found).toMatchObject({
      trunk: 'local',
      started_at: STARTED,
      duration_ms: 9000,
      media: { mos: 4.4 },
    });
    const { rows } = await store.tenant('acme', (unit) => listCalls(unit, { limit: 10, sipCallId: 's1' }));
    expect(rows).toHaveLength(1);
  });

  it('hand out lists in pages that new rows do not disturb', async () => {
    const open = (unit: Parameters<typeof ensureCalls>[0], n: number): Promise<void> =>
      ensureCalls(unit, {
        call_id: `page_${n}`,
        gateway: 'gw',
        started_at: new Date(1000 + Math.floor(n / 2)),
      });
    await store.tenant('other', async (unit) => {
      for (let n = 0; n < 5; n += 1) await open(unit, n);
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.tenant('other', (unit) => listCalls(unit, { limit: 2, cursor }));
      seen.push(...page.rows.map((row) => row.call_id));
      cursor = page.next ?? undefined;
      await store.tenant('other', (unit) => open(unit, 100 + seen.length));
    } while (cursor !== undefined && seen.length < 20);
    expect(seen).toEqual(['page_4', 'page_3', 'page_2', 'page_1', 'page_0']);
    const forged = store.tenant('other', (unit) => listCalls(unit, { limit: 2, cursor: 'nonsense' }));
    await expect(forged).rejects.toMatchObject({ code: 'STORE_CURSOR_INVALID' });
  });

  it('keep turns in order, each once', async () => {
    const turns = [3, 1, 2].map((seq) => ({
      ...{ call_id: 'call_1', seq, who: 'caller' as const, text: `turn ${seq}` },
      ...{ at_ms: seq * 1000, heard_ms: null, response_ms: null },
    }));
    await store.tenant('acme', (unit) => addTurns(unit, turns));
    await store.tenant('acme', (unit) => addTurns(unit, turns.slice(0, 2)));
    const kept = await store.tenant('acme', (unit) => turnsOf(unit, 'call_1'));
    expect(kept.map((turn) => turn.text)).toEqual(['turn 1', 'turn 2', 'turn 3']);
  });

  it('know one contact per number, and lose nothing of it to a later word', async () => {
    const e164 = '+15550123';
    const made = await store.tenant('acme', (unit) =>
      upsertContact(unit, { e164, name: 'Ada', attributes: { language: 'en' } }),
    );
    await store.tenant('acme', (unit) => linkContact(unit, made.contact_id, { hubspot: '7' }));
    const changed = await store.tenant('acme', (unit) =>
      upsertContact(unit, { e164, email: 'ada@example.org', attributes: { vip: true } }),
    );
    expect(changed).toMatchObject({
      ...{ contact_id: made.contact_id, name: 'Ada', email: 'ada@example.org' },
      ...{ attributes: { language: 'en', vip: true }, external: { hubspot: '7' } },
    });
    const { rows } = await store.tenant('acme', (unit) => listContacts(unit, { limit: 10 }));
    expect(rows).toHaveLength(1);
  });

  it('keep one message per key, and change it only from the state that is named', async () => {
    const message = { idempotency_key: 'k1', direction: 'outbound', status: 'queued', body: 'Hi' } as const;
    const first = await store.tenant('acme', (unit) => addMessage(unit, message));
    const second = await store.tenant('acme', (unit) => addMessage(unit, { ...message, body: 'Ho' }));
    expect([first.isNew, second.isNew, second.message.body]).toEqual([true, false, 'Hi']);
    const messageId = first.message.message_id;
    const change = (from: readonly ['queued' | 'sent']): Promise<unknown> =>
      store.tenant('acme', (unit) => changeMessage(unit, { messageId }, { status: 'sent' }, from));
    expect(await change(['queued'])).toMatchObject({ status: 'sent' });
    expect(await change(['queued'])).toBeUndefined();
  });

  it('remember who said STOP, until they say START', async () => {
    const whom = { e164: '+15550124', channel: 'sms' };
    const of = { numbers: ['+15550123', whom.e164], channel: whom.channel };
    const optedOut = (): Promise<Set<string>> => store.tenant('acme', (unit) => optedOutOf(unit, of));
    expect(await optedOut()).toEqual(new Set());
    await store.tenant('acme', (unit) => setOptOut(unit, { ...whom, optedOut: true, reason: 'STOP' }));
    expect(await optedOut()).toEqual(new Set([whom.e164]));
    await store.tenant('acme', (unit) => setOptOut(unit, { ...whom, optedOut: false, reason: 'START' }));
    expect(await optedOut()).toEqual(new Set());
  });

  describe('appointments', () => {
    const slot = (given: Partial<SlotBooking> = {}): SlotBooking => ({
      ...{ calendar: 'default', callId: 'call_1', attemptId: 'try_1', name: 'Ada' },
      ...{ day: '2026-12-01', time: '10:00', timeZone: 'Europe/Berlin', ...given },
    });

    it('give a slot to one of many who ask at the same time', async () => {
      const asked = Array.from({ length: 12 }, (_, n) =>
        store.tenant('acme', (unit) =>
          bookSlot(unit, slot({ time: '09:00', callId: `race_${n}`, attemptId: `race_${n}` })),
        ),
      );
      const booked = (await Promise.all(asked)).filter((one) => one !== undefined);
      expect(booked).toHaveLength(1);
      const listed = await store.tenant('acme', (unit) => listAppointments(unit, { limit: 10 }));
      expect(listed.map((one) => one.confirmation)).toEqual([booked[0]?.confirmation]);
    });

    it('stay what they are when their call books again, and are free again when cancelled', async () => {
      const book = (given?: Partial<SlotBooking>): ReturnType<typeof bookSlot> =>
        store.tenant('acme', (unit) => bookSlot(unit, slot(given)));
      const first = await book();
      expect(first).toMatchObject({ day: '2026-12-01', time: '10:00', status: 'booked' });
      expect((await book({ attemptId: 'try_2' }))?.confirmation).toBe(first?.confirmation);
      expect(await book({ callId: 'call_2', attemptId: 'try_3' })).toBeUndefined();
      await store.tenant('acme', (unit) => cancelAppointment(unit, first?.appointment_id ?? ''));
      expect(await book({ callId: 'call_2', attemptId: 'try_4' })).toMatchObject({ call_id: 'call_2' });
    });

    it('are withdrawn with the try that made them, not with one that was overtaken', async () => {
      const day = '2026-12-02';
      const book = (attemptId: string): ReturnType<typeof bookSlot> =>
        store.tenant('acme', (unit) => bookSlot(unit, slot({ day, attemptId })));
      const withdraw = (attemptId: string): Promise<boolean> =>
        store.tenant('acme', (unit) => withdrawAttempt(unit, attemptId));
      await book('one');
      await book('two');
      expect(await withdraw('one')).toBe(false);
      expect(await withdraw('two')).toBe(true);
      const left = await store.tenant('acme', (unit) =>
        listAppointments(unit, { fromDay: day, toDay: day, limit: 9 }),
      );
      expect(left).toEqual([]);
    });
  });

  it('chain the audit log under concurrent writers, and show where a chain is broken', async () => {
    const at = STARTED;
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        store.tenant('acme', (unit) =>
          appendAudit(unit, {
            key: `a${n % 6}`,
            at,
            actor: 'test',
            action: 'did',
            detail: { n: n % 6, a: [1] },
          }),
        ),
      ),
    );
    const entries = await store.tenant('acme', (unit) => listAudit(unit, { limit: 10 }));
    expect(entries.map((entry) => entry.seq)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await store.tenant('acme', brokenAudit)).toBeUndefined();
    const broken = store.tenant('other', async (unit) => {
      await appendAudit(unit, { key: 'a', at, actor: 'test', action: 'did' });
      const forged = { audit_key: 'b', at, actor: 'test', action: 'did', prev_hash: 'x', hash: 'y' };
      await unit.rows
        .insertInto('audit')
        .values({ tenant: 'other', seq: 2, ...forged })
        .execute();
      expect(await brokenAudit(unit)).toBe(2);
      throw new Error('taken back');
    });
    await expect(broken).rejects.toThrow('taken back');
  });

  it('know an API key by its secret, until it is revoked, and never show the secret again', async () => {
    const made = await store.tenant('acme', (unit) =>
      createApiKey(unit, { name: 'ci', scopes: ['calls:read'] }),
    );
    expect(await findApiKey(store, made.key)).toMatchObject({ tenant: 'acme', scopes: ['calls:read'] });
    const elsewhere = made.key.replace('tl.acme.', 'tl.other.');
    const wrong = `${made.key.slice(0, -1)}${made.key.endsWith('A') ? 'B' : 'A'}`;
    for (const no of [elsewhere, wrong, 'tl.acme', '', `${made.key} `])
      expect(await findApiKey(store, no)).toBeUndefined();
    const listed = await store.tenant('acme', listApiKeys);
    expect(JSON.stringify(listed)).not.toMatch(/secret|hash/);
    await store.tenant('acme', (unit) => revokeApiKey(unit, made.apiKey.key_id, { at: new Date(0) }));
    expect(await findApiKey(store, made.key)).toBeUndefined();
  });

  it('do a keyed request once, also for askers at the same time', async () => {
    let runs = 0;
    const ask = (fingerprint: string): Promise<number> =>
      store.tenant('acme', (unit) =>
        once(
          unit,
          { scope: 'test', key: 'k', fingerprint, expiresAt: new Date(Date.now() + 60_000) },
          () => Promise.resolve((runs += 1)),
          Number,
        ),
      );
    expect(await Promise.all([ask('a'), ask('a'), ask('a')])).toEqual([1, 1, 1]);
    expect(runs).toBe(1);
    await expect(ask('b')).rejects.toBeInstanceOf(TrunklineError);
  });
});

/** Jobs that come at once and go into the store together: each gets what it would have got alone. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { unwrap, wrap, type NewJob } from '../../../../src/jobs/envelope.ts';
import type { QueueName } from '../../../../src/jobs/queues.ts';
import { JobLater, JobRefused, type Handler, type WorkTools } from '../../../../src/jobs/work.ts';
import { crmHandler } from '../../../../src/jobs/work/crm.ts';
import { smsHandler } from '../../../../src/jobs/work/sms.ts';
import { activitiesOf } from '../../../../src/store/tables/activities.ts';
import { endCalls, findCall, openCalls } from '../../../../src/store/tables/calls.ts';
import { listContacts } from '../../../../src/store/tables/contacts.ts';
import { setOptOut } from '../../../../src/store/tables/opt-outs.ts';
import { addToolCalls } from '../../../../src/store/tables/tool-calls.ts';
import { addTurns } from '../../../../src/store/tables/turns.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const newStage = workStages();
let stage: WorkStage;
let units: number;
beforeEach(async () => {
  stage = await newStage();
  units = 0;
});

/** As the handler is given, and counts the units of work. */
function tools(): WorkTools {
  const { store } = stage.queue.tools;
  const counted: Pick<typeof store, 'tenant' | 'ensureTenants'> = {
    ensureTenants: (names) => store.ensureTenants(names),
    tenant: (tenant, work) => {
      units += 1;
      return store.tenant(tenant, work);
    },
  };
  return { ...stage.queue.tools, store: counted as typeof store };
}

/** What became of jobs that came at once, by their keys. */
async function atOnce<Q extends QueueName>(
  queue: Q,
  handler: Handler<Q>,
  jobs: readonly Omit<NewJob<Q>, 'tenant'>[],
): Promise<Record<string, string>> {
  const given = tools();
  const ends = jobs.map(async (job): Promise<[string, string]> => {
    const opened = unwrap(queue, wrap(queue, { ...job, tenant: stage.tenant }));
    const work = { ...opened, attempt: 1, signal: AbortSignal.timeout(20_000) };
    const end = await handler(work, given).then(
      () => 'done',
      (error: unknown) =>
        error instanceof JobLater ? 'later' : error instanceof JobRefused ? error.code : String(error),
    );
    return [job.key, end];
  });
  return Object.fromEntries(await Promise.all(ends));
}

async function callOf(
  callId: string,
  from: string,
  more: { name?: string; told?: number } = {},
): Promise<void> {
  await stage.unit(async (unit) => {
    await openCalls(unit, {
      ...{ call_id: callId, gateway: 'g1', source: 'phone', sip_call_id: 'x', trunk: 'local' },
      ...{ profile: 'clinic', from_number: from, to_number: '+442079460100' },
      started_at: new Date('2026-01-15T10:00:00Z'),
    });
    const place = { call_id: callId, heard_ms: null, response_ms: null };
    await addTurns(unit, [{ ...place, seq: 0, at_ms: 900, who: 'caller', text: `I am on ${callId}` }]);
    const [args, result] = [{ name: more.name ?? '' }, { ok: true }];
    const act = { name: 'book_appointment', arguments: args, result, ok: true, code: null, took_ms: 5 };
    if (more.name !== undefined) await addToolCalls(unit, [{ ...act, call_id: callId, seq: 1, at_ms: 2000 }]);
    const end = {
      ...{ ended_at: new Date('2026-01-15T10:01:00Z'), duration_ms: 60_000, media: { lost: callId } },
      ...{ ending: 'caller-hung-up', ending_class: 'success', ending_detail: `"${callId}", {NULL}` },
      ...{ facts_told: more.told ?? null },
    };
    await endCalls(unit, [
      [callId, { ...end, ending: 'told before' }],
      [callId, end],
      ['call_unknown', end],
    ]);
  });
}

describe('calls that are over', () => {
  const handler = (): Handler<'crm'> => crmHandler(() => ({ country: 'GB' }));
  const job = (callId: string) => ({ key: `${callId}/crm`, data: { type: 'call-ended' as const, callId } });

  it('are summed up together, and each has its own end', async () => {
    await callOf('first', '+442079460121');
    await callOf('of laura', '+442079460122', { name: 'Laura' });
    await callOf('of laura again', '020 7946 0122');
    await callOf('withheld', 'anonymous', { name: 'Nobody' });
    await callOf('early', '+442079460124', { told: 3 });
    const ids = ['first', 'of laura', 'of laura again', 'withheld', 'early', 'none'];
    expect(await atOnce('crm', handler(), ids.map(job))).toEqual({
      ...{ 'first/crm': 'done', 'of laura/crm': 'done', 'of laura again/crm': 'done' },
      ...{ 'withheld/crm': 'done', 'early/crm': 'later', 'none/crm': 'JOB_PAYLOAD_INVALID' },
    });
    // The first alone, and what came meanwhile.
    expect(units).toBe(2);
    const { rows } = await stage.unit((unit) => listContacts(unit, { limit: 10 }));
    expect(rows.map(({ e164, name }) => [e164, name]).sort()).toEqual([
      ['+442079460121', null],
      ['+442079460122', 'Laura'],
    ]);
    for (const callId of ids.slice(0, 4)) {
      const call = await stage.unit((unit) => findCall(unit, callId));
      expect(call?.summary).toContain(`I am on ${callId}`);
      expect(call).toMatchObject({
        ...{ ending: 'caller-hung-up', media: { lost: callId }, ending_detail: `"${callId}", {NULL}` },
        ...{ duration_ms: 60_000, ended_at: new Date('2026-01-15T10:01:00Z') },
      });
    }
    const ofLaura = rows.find((row) => row.name === 'Laura')?.contact_id ?? '';
    const activities = await stage.unit((unit) => activitiesOf(unit, { contactId: ofLaura }));
    expect(activities.map((one) => one.call_id).sort()).toEqual(['of laura', 'of laura again']);
    expect((await stage.unit((unit) => findCall(unit, 'early')))?.summary).toBeNull();
  });

  it('that come again change nothing', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `call_${n}`);
    for (const [n, id] of ids.entries()) await callOf(id, `+4420794601${String(n % 7).padStart(2, '0')}`);
    const rows = async () => (await stage.unit((unit) => listContacts(unit, { limit: 50 }))).rows;
    const one = handler();
    await atOnce('crm', one, ids.map(job));
    const [before, unitsBefore] = [await rows(), units];
    // 1, 16 and 3.
    expect(unitsBefore).toBe(3);
    await atOnce('crm', one, ids.toReversed().map(job));
    const ids7 = (found: Awaited<ReturnType<typeof rows>>): string[] =>
      found.map((row) => row.contact_id).sort();
    expect(ids7(await rows())).toEqual(ids7(before));
    const { contact_id: contactId } = before.find((row) => row.e164.endsWith('00')) ?? { contact_id: '' };
    expect(await stage.unit((unit) => activitiesOf(unit, { contactId }))).toHaveLength(3);
  });
});

describe('texts that come at once', () => {
  const [LAURA, TOM] = ['+442079460123', '+442079460124'];
  const rules = {
    ...{ from: '+442079460100', timeZone: 'UTC', quietHours: { from: '', to: '' }, partsMax: 2 },
    ...{ quietZone: 'tenant' as const, perDayMax: 0, dayZone: 'UTC', unclearWaitMs: 60_000, templates: {} },
    ...{ optWords: { stop: [], start: [], help: [] }, replies: { stop: '', start: '', help: '' } },
  };
  const text = (key: string, to = LAURA, more: object = {}) => ({
    key,
    data: { callId: null, to, body: `Text ${key}`, ...more },
  });
  const statuses = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await stage.messages()).map(({ body, status }) => [body, status]));

  it('are decided together, each for itself', async () => {
    await stage.unit((unit) =>
      setOptOut(unit, { e164: TOM, channel: 'sms', optedOut: true, reason: 'STOP' }),
    );
    const long = 'x'.repeat(1000);
    const jobs = [text('a'), text('b'), text('c', TOM), text('d', TOM, { isOptReply: true })];
    const handler = smsHandler(() => rules);
    expect(await atOnce('sms', handler, [...jobs, text('e', LAURA, { body: long })])).toEqual({
      ...{ a: 'done', b: 'done', c: 'done', d: 'done', e: 'SMS_TEXT_INVALID' },
    });
    expect(units).toBe(2);
    const expected = { 'Text a': 'sent', 'Text b': 'sent', 'Text c': 'suppressed', 'Text d': 'sent' };
    expect(await statuses()).toEqual(expected);
    // Told of once each, by the ids of their rows.
    expect(await atOnce('sms', handler, jobs)).toMatchObject({ a: 'done', c: 'done' });
    expect(await stage.messages()).toHaveLength(4);
    expect([...stage.queue.given.keys()].filter((name) => name.includes('/sent'))).toHaveLength(3);
  });

  it('wait for the end of quiet hours, but for the answer to STOP', async () => {
    const quiet = { ...rules, quietHours: { from: '20:00', to: '08:00' } };
    const handler = smsHandler(() => quiet, { now: () => new Date('2026-03-02T22:00:00Z') });
    const jobs = [text('a'), text('b'), text('c', LAURA, { isOptReply: true })];
    expect(await atOnce('sms', handler, jobs)).toEqual({ a: 'later', b: 'later', c: 'done' });
    expect(await statuses()).toEqual({ 'Text a': 'held', 'Text b': 'held', 'Text c': 'sent' });
    const held = (await stage.messages()).filter((one) => one.status === 'held');
    expect(held.map((one) => one.send_after?.toISOString())).toEqual(
      Array.from({ length: 2 }, () => '2026-03-03T08:00:00.000Z'),
    );
  });

  it('share what is left of the day in the order in which they came, answers to STOP apart', async () => {
    const handler = smsHandler(() => ({ ...rules, perDayMax: 3 }));
    const jobs = [text('a'), text('b'), text('c', LAURA, { isOptReply: true }), text('d'), text('e')];
    await atOnce('sms', handler, jobs);
    const expected = { 'Text a': 'sent', 'Text b': 'sent', 'Text c': 'sent' };
    const beyond = { 'Text d': 'suppressed', 'Text e': 'suppressed' };
    expect(await statuses()).toEqual({ ...expected, ...beyond });
    await atOnce('sms', handler, [...jobs, text('f')]);
    expect(await statuses()).toEqual({ ...expected, ...beyond, 'Text f': 'suppressed' });
  });

  it('are one when they are one job that runs twice', async () => {
    const key = randomUUID();
    await atOnce(
      'sms',
      smsHandler(() => rules),
      [text('other'), text(key), text(key)],
    );
    expect(await stage.messages()).toHaveLength(2);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDeadLetter } from '../../../../src/store/tables/dead-letters.ts';
import { bookSlot } from '../../../../src/store/tables/appointments.ts';
import { openCalls } from '../../../../src/store/tables/calls.ts';
import type { CallJob } from '../../../../src/web/api/ports.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';

let stage: ApiStage;
let key: string;
beforeAll(async () => {
  stage = await ApiStage.start();
  key = await stage.key('acme');
});
afterAll(() => stage.close());

const get = async (path: string): Promise<Record<string, unknown>> => {
  const { status, body } = await stage.ask('GET', path, { key });
  expect(status, path).toBe(200);
  return body;
};
const post = async (
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> => {
  const answer = await stage.ask('POST', path, { key, body, headers });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
};
const rows = (body: Record<string, unknown>): Record<string, unknown>[] =>
  body['data'] as Record<string, unknown>[];

describe('calls', () => {
  it('are listed newest first, a page at a time, each once', async () => {
    for (let at = 0; at < 5; at += 1)
      await stage.store.tenant('acme', (unit) =>
        openCalls(unit, {
          call_id: `call_${at}`,
          gateway: 'gw',
          source: 'phone',
          sip_call_id: `sip-${at}`,
          trunk: 'carrier',
          profile: 'clinic',
          from_number: '+15550700',
          to_number: '+15550100',
          started_at: new Date(Date.UTC(2026, 0, 1, 0, at)),
        }),
      );
    const seen: unknown[] = [];
    let cursor = '';
    for (;;) {
      const page = await get(`/v1/calls?limit=2&from=%2B15550700${cursor}`);
      seen.push(...rows(page).map((call) => call['call_id']));
      const next = page['next_cursor'];
      if (typeof next !== 'string') break;
      cursor = `&cursor=${next}`;
    }
    expect(seen).toEqual(['call_4', 'call_3', 'call_2', 'call_1', 'call_0']);
    expect(rows(await get('/v1/calls?sip_call_id=sip-3'))).toMatchObject([{ call_id: 'call_3' }]);
  });

  it('are told with everything that belongs to them', async () => {
    await stage.fill('acme');
    expect(await get('/v1/calls/call_secret')).toMatchObject({
      call_id: 'call_secret',
      started_at: '2026-11-26T10:00:00.000Z',
      turns: [{ who: 'caller', text: 'my secret' }],
      tool_calls: [{ name: 'book', ok: true }],
      events: [{ type: 'ringing' }],
      legs: [{ leg_id: 'leg_secret' }],
      activities: [{ summary: 'secret' }],
    });
  });
});

describe('contacts', () => {
  it('are made by number, and changed by it', async () => {
    const made = await post('/v1/contacts', { e164: '+15550123', name: 'Anna', attributes: { vip: true } });
    const changed = await post('/v1/contacts', { e164: '+15550123', email: 'anna@example.org' });
    expect(changed).toMatchObject({
      contact_id: made['contact_id'],
      name: 'Anna',
      email: 'anna@example.org',
    });
    expect(await get(`/v1/contacts/${String(made['contact_id'])}`)).toMatchObject({
      attributes: { vip: true },
      activities: [],
    });
    expect(rows(await get('/v1/contacts?limit=1'))).toMatchObject([{ e164: '+15550123' }]);
  });

  it('are changed once by a request that is sent twice', async () => {
    const headers = { 'idempotency-key': 'the-same-request' };
    const body = { e164: '+15550124', name: 'Ben' };
    const first = await post('/v1/contacts', body, headers);
    await post('/v1/contacts', { e164: '+15550124', name: 'Benjamin' });
    expect(await post('/v1/contacts', body, headers)).toEqual(first);
    const other = await stage.ask('POST', '/v1/contacts', { key, headers, body: { e164: '+15550125' } });
    expect(other).toMatchObject({ status: 422, body: { code: 'STORE_KEY_REUSED' } });
  });
});

describe('messages', () => {
  it('are taken for sending under the tenant of the key, once per idempotency key', async () => {
    const headers = { 'idempotency-key': 'message-1' };
    const answer = await stage.ask('POST', '/v1/messages', {
      key,
      headers,
      body: { to: '+15550111', body: 'See you tomorrow' },
    });
    expect(answer).toMatchObject({ status: 202, body: { accepted: true, key: 'api/message-1' } });
    expect(stage.sms).toEqual([
      { tenant: 'acme', key: 'api/message-1', to: '+15550111', body: 'See you tomorrow' },
    ]);
  });

  it('are listed by channel', async () => {
    expect(rows(await get('/v1/messages?channel=sms')).length).toBeGreaterThan(0);
    expect(rows(await get('/v1/messages?channel=note'))).toEqual([]);
    expect(await get('/v1/messages/message_secret')).toMatchObject({ status: 'queued' });
  });
});

describe('appointments', () => {
  it('are listed by day, and free their slot when they are cancelled', async () => {
    const slot = { calendar: 'default', day: '2030-01-02', time: '10:00', timeZone: 'UTC', callId: null };
    const book = (attemptId: string) =>
      stage.store.tenant('acme', (unit) => bookSlot(unit, { ...slot, attemptId, name: 'Anna' }));
    const booked = await book('one');
    expect(await book('two')).toBeUndefined();
    const listed = rows(await get('/v1/appointments?from_day=2030-01-01&to_day=2030-01-31'));
    expect(listed).toMatchObject([{ appointment_id: booked?.appointment_id, day: '2030-01-02' }]);
    const path = `/v1/appointments/${booked?.appointment_id}/cancel`;
    expect(await post(path, {})).toMatchObject({ status: 'cancelled' });
    expect(await post(path, {})).toMatchObject({ status: 'cancelled' });
    expect(rows(await get('/v1/appointments?from_day=2030-01-01'))).toEqual([]);
    expect(rows(await get('/v1/appointments?from_day=2030-01-01&cancelled=true'))).toHaveLength(1);
    expect(await book('three')).toMatchObject({ status: 'booked' });
    const cancellations = rows(await get('/v1/audit')).filter(
      (entry) => entry['action'] === 'appointment.cancelled',
    );
    expect(cancellations).toMatchObject([{ target: booked?.appointment_id }]);
  });
});

describe('queues', () => {
  it('tell what a call led to, to its own tenant', async () => {
    const job: CallJob = {
      ...{ queue: 'crm', key: 'call_0/crm', state: 'delayed', attempts: 2, attemptsMax: 16 },
      ...{ askedAt: '2026-01-01T00:00:00.000Z', endedAt: null, failure: 'PROVIDER_FAILED: 500' },
    };
    stage.callJobs.set('acme/call_0', [job]).set('other/call_0', [{ ...job, key: 'secret' }]);
    expect(rows(await get('/v1/calls/call_0/jobs'))).toEqual([
      {
        ...{ queue: 'crm', key: 'call_0/crm', state: 'delayed', attempts: 2, attempts_max: 16 },
        ...{ asked_at: '2026-01-01T00:00:00.000Z', ended_at: null, failure: 'PROVIDER_FAILED: 500' },
      },
    ]);
    expect(rows(await get('/v1/calls/call_1/jobs'))).toEqual([]);
    const path = '/v1/calls/call_0/jobs';
    expect((await stage.ask('GET', path, { key: await stage.key('other') })).status).toBe(404);
  });

  it('tell how much waits', async () => {
    stage.counts = [{ queue: 'sms', waiting: 1, active: 2, delayed: 3, failed: 4 }];
    expect(rows(await get('/v1/queues'))).toEqual(stage.counts);
  });

  it('get dead letters back, each once, and put others away', async () => {
    const letter = (jobKey: string) =>
      stage.store.tenant('acme', (unit) =>
        addDeadLetter(unit, { queue: 'crm', jobKey, payload: {}, code: 'X', detail: 'y', attempts: 3 }),
      );
    const [one, two] = [await letter('one'), await letter('two')];
    expect(rows(await get('/v1/dead-letters?queue=crm'))).toHaveLength(2);
    const replay = `/v1/dead-letters/${one.dead_letter_id}/replay`;
    expect(await post(replay, {})).toMatchObject({ replays: 1 });
    expect(await post(replay, {})).toMatchObject({ replays: 1 });
    expect(stage.replayed.map((each) => each.job_key)).toEqual(['one']);
    await post(`/v1/dead-letters/${two.dead_letter_id}/discard`, {});
    expect(rows(await get('/v1/dead-letters?queue=crm'))).toEqual([]);
  });
});

describe('keys', () => {
  it('are shown once, work, are rotated with an overlap, and are revoked', async () => {
    const made = await post('/v1/keys', { name: 'the website', scopes: ['calls:read'] });
    expect(made['key']).toMatch(/^tl\.acme\.key_/);
    const listed = JSON.stringify(await get('/v1/keys'));
    expect(listed).toContain('the website');
    expect(listed).not.toContain(String(made['key']).slice(-20));
    const works = async (one: unknown): Promise<number> =>
      (await stage.ask('GET', '/v1/calls', { key: String(one) })).status;
    expect(await works(made['key'])).toBe(200);
    const next = await post(`/v1/keys/${String(made['key_id'])}/rotate`, { overlap_s: 3600 });
    expect(await works(made['key'])).toBe(200);
    expect(await works(next['key'])).toBe(200);
    expect(next).toMatchObject({ name: 'the website', scopes: ['calls:read'] });
    const gone = await stage.ask('DELETE', `/v1/keys/${String(next['key_id'])}`, { key });
    expect(gone.body).toEqual({ revoked: true });
    expect(await works(next['key'])).toBe(401);
    const actions = rows(await get('/v1/audit')).map((entry) => entry['action']);
    expect(actions).toEqual(
      expect.arrayContaining(['api-key.created', 'api-key.rotated', 'api-key.revoked']),
    );
  });
});

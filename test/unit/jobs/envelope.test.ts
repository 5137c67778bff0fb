import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TrunklineError } from '../../../src/base/errors.ts';
import { jobIdOf, unwrap, unwrapBy, wrap, wrapChecked } from '../../../src/jobs/envelope.ts';
import { isQueueName, QUEUES, QUEUE_NAMES, type QueueRow } from '../../../src/jobs/queues.ts';
import { JobRefused } from '../../../src/jobs/work.ts';
import { SeededRandom } from '../../support/random.ts';

const SMS = { callId: 'call_1', to: '+15550123', body: 'See you on Tuesday.' };

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TrunklineError ? error.code : String(error);
  }
  return undefined;
}

describe('an envelope', () => {
  it('carries a payload from one side to the other through JSON', () => {
    const wrapped = wrap('sms', { tenant: 'acme', key: 'call_1/sms/1', data: SMS });
    const opened = unwrap('sms', JSON.parse(JSON.stringify(wrapped)));
    expect(opened).toMatchObject({ v: 1, tenant: 'acme', key: 'call_1/sms/1', data: SMS });
  });

  it('carries the span that it goes on from, when there is one', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const job = { tenant: 'acme', key: 'k', data: SMS };
    expect(unwrap('sms', wrap('sms', { ...job, traceparent }))).toMatchObject({ traceparent });
    for (const none of ['', undefined])
      expect(wrap('sms', { ...job, traceparent: none })).not.toHaveProperty('traceparent');
  });

  it('is the same around a payload that was checked before', () => {
    const [around, data] = [{ tenant: 'acme', key: 'call_1/sms/1' }, { ...SMS }];
    const { at: _at, ...wrapped } = wrapChecked('sms', around, data);
    expect(wrap('sms', { ...around, data })).toMatchObject(wrapped);
    expect(wrapped).toMatchObject({ v: 1, callId: 'call_1', data });
    expect(codeOf(() => wrapChecked('sms', { ...around, key: '' }, data))).toBe('JOB_PAYLOAD_INVALID');
    // Whoever vouches for a payload and is wrong is found out by the other end.
    const unchecked = wrapChecked('sms', around, { ...data, to: 'nobody' });
    expect(codeOf(() => unwrap('sms', unchecked))).toBe('JOB_PAYLOAD_INVALID');
  });

  it('fills in what the schema has defaults for', () => {
    const data = { at: '2026-11-26T10:00:00Z', actor: 'operator', action: 'call.ended' };
    const { data: opened } = unwrap('audit', wrap('audit', { tenant: 'acme', key: 'k', data }));
    expect(opened).toEqual({ ...data, target: '', detail: {} });
  });

  it('refuses a payload of the wrong shape on both ends', () => {
    const wrong = { ...SMS, to: 'nobody' };
    expect(codeOf(() => wrap('sms', { tenant: 'acme', key: 'k', data: wrong }))).toBe('JOB_PAYLOAD_INVALID');
    const envelope = { ...wrap('sms', { tenant: 'acme', key: 'k', data: SMS }), data: wrong };
    expect(codeOf(() => unwrap('sms', envelope))).toBe('JOB_PAYLOAD_INVALID');
  });

  it.each([
    ['a version that is not known', { v: 99 }],
    ['a version that is none', { v: 0 }],
    ['a tenant that is none', { tenant: "x'; DROP TABLE calls" }],
    ['no key', { key: '' }],
    ['a key it does not know', { priority: 1 }],
  ])('with %s is not opened', (_what, change) => {
    const envelope = { ...wrap('sms', { tenant: 'acme', key: 'k', data: SMS }), ...change };
    expect(codeOf(() => unwrap('sms', envelope))).toBe('JOB_PAYLOAD_INVALID');
  });

  it.each([undefined, null, 7, 'text', [], {}])('is not %j', (given) => {
    expect(codeOf(() => unwrap('crm', given))).toBe('JOB_PAYLOAD_INVALID');
  });
});

describe('the id of a job', () => {
  it('is the same for the same tenant and key, and no other', () => {
    expect(jobIdOf('acme', 'a')).toBe(jobIdOf('acme', 'a'));
    const ids = [jobIdOf('acme', 'a'), jobIdOf('acme', 'b'), jobIdOf('other', 'a'), jobIdOf('acme"', ',"a')];
    expect(new Set(ids).size).toBe(4);
    expect(ids.join('')).not.toContain(':');
  });
});

describe('what waits in Redis', () => {
  // A job that an older version put there must still be the same job to this one.
  it('has the ids that it always had', () => {
    expect(jobIdOf('acme', 'call_1/sms/1')).toBe('ASZlP77aihYbQfQqIcXGPMI2aS2fV-X9tTNGpkMyMjU');
  });

  it('has the envelope that it always had', () => {
    const { at, ...envelope } = wrap('calendar', {
      ...{ tenant: 'acme', key: 'call_1/calendar' },
      data: { type: 'sync', appointmentId: 'appointment_1' },
    });
    expect(z.iso.datetime().safeParse(at).success).toBe(true);
    expect(envelope).toEqual({
      ...{ v: 1, tenant: 'acme', key: 'call_1/calendar' },
      data: { type: 'sync', appointmentId: 'appointment_1' },
    });
  });
});

describe('the table of queues', () => {
  it.each(QUEUE_NAMES)('has limits that make sense for %s', (name) => {
    const queue = QUEUES[name];
    expect(queue.payload).toBeInstanceOf(z.ZodType);
    expect(queue.attempts).toBeGreaterThan(1);
    expect(queue.backoffMaxMs).toBeGreaterThan(queue.backoffFirstMs);
    expect(queue.timeoutMs).toBeGreaterThan(0);
    expect(queue.concurrency).toBeGreaterThan(0);
  });

  it('knows its names', () => {
    expect(['sms', 'toString', '', 'SMS'].map(isQueueName)).toEqual([true, false, false, false]);
  });
});

describe('what stands around a payload', () => {
  const give = (job: Partial<{ tenant: string; key: string }>): unknown =>
    wrap('sms', { tenant: 'acme', key: 'k', data: SMS, ...job });

  it.each([
    ['no tenant', { tenant: '' }],
    ['a tenant in capitals', { tenant: 'ACME' }],
    ['a tenant that begins with a digit', { tenant: '1st' }],
    ['a tenant that is too long', { tenant: `a${'b'.repeat(64)}` }],
    ['a system tenant that there is not', { tenant: '_admin' }],
    ['no key', { key: '' }],
    ['an endless key', { key: 'k'.repeat(401) }],
  ])('is refused with %s', (_what, job) => {
    expect(codeOf(() => give(job))).toBe('JOB_PAYLOAD_INVALID');
  });

  it.each([
    ['the system itself', { tenant: '_system' }],
    ['a tenant with digits and dashes', { tenant: 'acme-2' }],
    ['a key with anything in it', { key: 'call_x/sms:1 – Zoë\n' }],
  ])('may name %s', (_what, job) => {
    expect(unwrap('sms', give(job))).toMatchObject(job);
  });

  it('says when the job was asked for, and by which version', () => {
    const before = Date.now();
    const { at, v } = wrap('sms', { tenant: 'acme', key: 'k', data: SMS });
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before - 1);
    expect(v).toBe(QUEUES.sms.version);
  });
});

describe('whatever a queue is given', () => {
  const seeded = new SeededRandom(20_261_126);
  const random = (): number => seeded.next();

  /** JSON of any shape, now and then with the keys of an envelope. */
  function junk(depth: number): unknown {
    const pick = Math.floor(random() * (depth > 3 ? 5 : 8));
    if (pick === 0) return null;
    if (pick === 1) return random() < 0.5;
    if (pick === 2) return Math.floor(random() * 1e6) - 1000;
    if (pick === 3) return random() * 1e9;
    if (pick === 4) return String.fromCharCode(...Array.from({ length: 5 }, () => random() * 0xffff));
    if (pick === 5) return Array.from({ length: Math.floor(random() * 4) }, () => junk(depth + 1));
    const keys = ['v', 'tenant', 'key', 'at', 'data', 'type', 'callId', 'to', '__proto__', 'entries'];
    const chosen = keys.filter(() => random() < 0.4).map((key): [string, unknown] => [key, junk(depth + 1)]);
    return Object.fromEntries(chosen);
  }

  it.each(QUEUE_NAMES)('%s refuses junk with a code, and never throws anything else', (queue) => {
    for (let n = 0; n < 300; n += 1) {
      const whole = junk(0);
      const inside = { v: 1, tenant: 'acme', key: 'k', at: '2026-11-26T10:00:00Z', data: junk(1) };
      for (const given of [whole, inside]) {
        const code = codeOf(() => unwrap(queue, given));
        expect(code, JSON.stringify(given)).toBe('JOB_PAYLOAD_INVALID');
      }
    }
  });
});

describe('the patience of a queue', () => {
  const hour_ms = 3_600_000;

  /** From the first failure to the last try, when no pause is shortened. */
  function patienceMs(name: (typeof QUEUE_NAMES)[number]): number {
    const { attempts, backoffFirstMs, backoffMaxMs } = QUEUES[name];
    const pauses = Array.from({ length: attempts - 1 }, (_, n) =>
      Math.min(backoffMaxMs, backoffFirstMs * 2 ** n),
    );
    return pauses.reduce((sum, pause) => sum + pause, 0);
  }

  it.each([
    // Facts of calls exist nowhere else.
    ['transcripts', 40 * hour_ms, 60 * hour_ms],
    ['crm', 1 * hour_ms, 12 * hour_ms],
    // A reminder of yesterday's appointment helps nobody.
    ['sms', 0.1 * hour_ms, 6 * hour_ms],
    ['calendar', 0.5 * hour_ms, 12 * hour_ms],
    // Standard Webhooks: a receiver may be away for the better part of a day.
    ['webhooks', 0.7 * hour_ms, 24 * hour_ms],
    ['audit', 20 * hour_ms, 60 * hour_ms],
  ] as const)('%s outlasts %i ms of trouble, and not more than %i', (name, least, most) => {
    expect(patienceMs(name)).toBeGreaterThan(least);
    expect(patienceMs(name)).toBeLessThan(most);
  });

  it('is in the table for every queue', () => {
    expect(QUEUE_NAMES.map(patienceMs).every(Number.isFinite)).toBe(true);
  });
});

describe('a payload that changed its shape', () => {
  const newest = z.strictObject({ to: z.string(), texts: z.array(z.string()) });
  const row: QueueRow = {
    ...{ version: 3, payload: newest, attempts: 2, timeoutMs: 1, concurrency: 1 },
    ...{ backoffFirstMs: 1, backoffMaxMs: 2 },
    older: {
      // Version 1 is given up; one of version 2 may still wait in a queue.
      2: z
        .strictObject({ to: z.string(), text: z.string() })
        .transform(({ to, text }) => ({ to, texts: [text] })),
    },
  };
  const envelope = (v: number, data: unknown): unknown => ({
    ...{ v, tenant: 'acme', key: 'k', at: '2026-11-26T10:00:00Z', data },
  });

  it.each([
    ['the newest version as it is', 3, { to: 'x', texts: ['a', 'b'] }, ['a', 'b']],
    ['an older one in the newest shape', 2, { to: 'x', text: 'a' }, ['a']],
  ])('is opened: %s', (_what, v, data, texts) => {
    expect(unwrapBy(row, 'sms', envelope(v, data)).data).toEqual({ to: 'x', texts });
  });

  it.each([
    ['a version that is given up', 1, { to: 'x', text: 'a' }],
    ['a version of the future', 4, { to: 'x', texts: ['a'] }],
    ['an old shape under the new number', 3, { to: 'x', text: 'a' }],
    ['a new shape under the old number', 2, { to: 'x', texts: ['a'] }],
    ['a number that names no version', Number.NaN, {}],
  ])('is refused: %s', (_what, v, data) => {
    expect(codeOf(() => unwrapBy(row, 'sms', envelope(v, data)))).toBe('JOB_PAYLOAD_INVALID');
  });
});

describe('a refused job', () => {
  it('says why in a code and a sentence', () => {
    const refused = new JobRefused('SMS_NUMBER_INVALID', 'the carrier knows no such number');
    expect(refused).toBeInstanceOf(Error);
    expect([refused.name, refused.code, refused.message]).toEqual([
      ...['JobRefused', 'SMS_NUMBER_INVALID', 'the carrier knows no such number'],
    ]);
  });
});

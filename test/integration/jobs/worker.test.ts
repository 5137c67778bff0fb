/**
 * The queues in a real Redis and the handlers on a real database: what becomes of jobs, and of their
 * failures.
 */
import { once } from 'node:events';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { wrap } from '../../../src/jobs/envelope.ts';
import type { CallJob } from '../../../src/jobs/call-jobs.ts';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import { backoffMs, JobWorker } from '../../../src/jobs/job-worker.ts';
import { startJobProcess, type JobProcess } from '../../../src/jobs/job-process.ts';
import { QUEUES } from '../../../src/jobs/queues.ts';
import { JobRefused, type Handler, type Work } from '../../../src/jobs/work.ts';
import { SYSTEM_TENANT, type Store } from '../../../src/store/store.ts';
import { listAudit } from '../../../src/store/tables/audit.ts';
import { findCall } from '../../../src/store/tables/calls.ts';
import { listDeadLetters, type DeadLetter } from '../../../src/store/tables/dead-letters.ts';
import { legsOf } from '../../../src/store/tables/legs.ts';
import { turnsOf } from '../../../src/store/tables/turns.ts';
import { usageOf } from '../../../src/store/tables/usage.ts';
import { handlersOf } from '../../../src/jobs/work/handlers.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { eventually, until } from '../../support/until.ts';

/** Shorter than a test may take: what was waited for in vain is told. */
const patience_ms = 15_000;
const AT = '2026-11-26T10:00:00.000Z';
let redis: TestRedis;
let database: TestDatabase;
let store: Store;
let jobs: JobQueues;
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), startDatabase('PGlite')]);
  store = openStore(database.url);
  await store.migrate();
  await store.ensureTenants(['acme']);
});
afterAll(async () => {
  await store.close();
  await Promise.all([redis.close(), database.close()]);
});
let test = 0;
beforeEach(async () => {
  // Keys of their own for every test: nothing of one is left for the next.
  test += 1;
  jobs = new JobQueues(address(), silent);
  await until('Redis is there', () => {
    try {
      return jobs.all.length > 0;
    } catch {
      return false;
    }
  });
});
const workers: { close(patienceMs: number): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((one) => one.close(0)));
  await jobs.close();
});

function address(): TestRedis['address'] {
  return { ...redis.address, prefix: `test${test}` };
}

/** Does the `sms` queue's jobs by `handler`, with pauses as short as they get. */
function work(handler: Handler<'sms'>): void {
  const tools = { store, jobs, pace: () => Promise.resolve(), log: silent };
  workers.push(
    new JobWorker({ queue: 'sms', handler, tools, redis: address(), lockMs: 1000, random: () => 1.998 }),
  );
}

const sms = { callId: null, to: '+15550123', body: 'Hi' };

function ask(key: string): Promise<void> {
  return jobs.enqueue('sms', { tenant: 'acme', key: `${test}/${key}`, data: sms });
}

function queueOf(name: string): Queue {
  const queue = jobs.all.find((one) => one.name === name);
  if (queue === undefined) throw new Error(`no queue ${name}`);
  return queue;
}

async function letters(tenant = 'acme'): Promise<DeadLetter[]> {
  const { rows } = await store.tenant(tenant, (unit) => listDeadLetters(unit, { limit: 50 }));
  return rows.filter((one) => one.job_key.startsWith(`${test}/`) || tenant === SYSTEM_TENANT);
}

async function untilLetter(tenant = 'acme'): Promise<DeadLetter> {
  let found: DeadLetter[] = [];
  let asking = false;
  await until(
    'a dead letter',
    () => {
      if (!asking) {
        asking = true;
        void letters(tenant).then((rows) => {
          found = rows;
          asking = false;
        });
      }
      return found.length > 0;
    },
    patience_ms,
  );
  const [letter] = found;
  if (letter === undefined) throw new Error('no dead letter');
  return letter;
}

describe('a queue', () => {
  it('brings each job to its handler once, however often it is asked for', async () => {
    const done: Work<'sms'>[] = [];
    await ask('a');
    await ask('a');
    await ask('b');
    work((job) => {
      done.push(job);
      return Promise.resolve();
    });
    await until('both are done', () => done.length >= 2, patience_ms);
    await ask('a');
    await ask('c');
    await until('the third is done', () => done.length >= 3, patience_ms);
    expect(done.map((job) => job.key)).toEqual(['a', 'b', 'c'].map((key) => `${test}/${key}`));
    expect(done[0]).toMatchObject({ tenant: 'acme', attempt: 1, data: sms });
  });

  it('tries again after a failure, and counts the tries', async () => {
    const attempts: number[] = [];
    work(({ attempt }) => {
      attempts.push(attempt);
      return attempt < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    });
    await ask('a');
    await until('it succeeded', () => attempts.length === 3, patience_ms);
    expect(attempts).toEqual([1, 2, 3]);
    expect(await letters()).toEqual([]);
  });

  it('gives a job that is refused to the dead letters at once, whole and with the reason', async () => {
    let runs = 0;
    work(() => {
      runs += 1;
      return Promise.reject(new JobRefused('SMS_NUMBER_INVALID', 'no such number'));
    });
    await ask('a');
    expect(await untilLetter()).toMatchObject({
      ...{ queue: 'sms', job_key: `${test}/a`, code: 'SMS_NUMBER_INVALID', attempts: 1 },
      payload: { v: 1, tenant: 'acme', data: sms },
    });
    expect(runs).toBe(1);
  });

  it('gives a payload that it cannot read to the dead letters, not to the floor', async () => {
    work(() => Promise.reject(new Error('must not run')));
    const envelope = wrap('sms', { tenant: 'acme', key: `${test}/future`, data: sms });
    await jobs.add('sms', [{ ...envelope, v: 99 }]);
    const letter = await untilLetter();
    expect(letter).toMatchObject({ code: 'JOB_PAYLOAD_INVALID', payload: { v: 99 } });
    expect(letter.detail).toContain('version 99');
  });

  it('keeps even what belongs to nobody', async () => {
    work(() => Promise.reject(new Error('must not run')));
    const raw = new Queue('sms', { connection: { path: redis.address.url }, prefix: address().prefix });
    await raw.add('sms', { nonsense: true });
    expect(await untilLetter(SYSTEM_TENANT)).toMatchObject({ payload: { nonsense: true } });
    await raw.close();
  });

  it.each([
    ['the database', 'STORE_UNAVAILABLE'],
    ['Redis, asked for further jobs,', 'JOBS_UNAVAILABLE'],
  ] as const)('counts no try while %s is away', async (_what, code) => {
    const attempts: number[] = [];
    work(({ attempt }) => {
      attempts.push(attempt);
      return attempts.length < 3 ? Promise.reject(new TrunklineError(code, 'away')) : Promise.resolve();
    });
    await ask('a');
    await until('it succeeded', () => attempts.length === 3, patience_ms);
    expect(attempts).toEqual([1, 1, 1]);
  });

  it('aborts what takes too long when it is closed, and does not mind what is done', async () => {
    const signals: AbortSignal[] = [];
    work(async ({ key, signal }) => {
      signals.push(signal);
      if (key.endsWith('slow')) await once(signal, 'abort');
    });
    await ask('quick');
    await until('the first is taken', () => signals.length === 1, patience_ms);
    await ask('slow');
    await until('the second is taken', () => signals.length === 2, patience_ms);
    await workers.at(-1)?.close(10);
    expect(signals.map((one) => one.aborted)).toEqual([false, true]);
    const again: string[] = [];
    work(({ key, attempt }) => {
      again.push(`${key} ${attempt}`);
      return Promise.resolve();
    });
    await until('it is taken up again', () => again.length === 1, patience_ms);
    expect(again).toEqual([`${test}/slow 2`]);
  });

  it('can be given back what died', async () => {
    let works = false;
    const done: string[] = [];
    work(({ key }) => {
      if (!works) return Promise.reject(new JobRefused('X', 'not now'));
      done.push(key);
      return Promise.resolve();
    });
    await ask('a');
    const letter = await untilLetter();
    works = true;
    await jobs.replay('sms', letter.payload as ReturnType<typeof wrap>, 1);
    await until('it is done', () => done.length === 1, patience_ms);
    expect(done).toEqual([`${test}/a`]);
    // As any other: Redis forgets it some time after it is done.
    const [replayed] = await queueOf('sms').getJobs(['completed', 'active']);
    expect(replayed?.opts).toMatchObject({
      ...{ attempts: QUEUES.sms.attempts, backoff: { type: 'bounded' } },
      removeOnComplete: { age: expect.any(Number) as number, count: expect.any(Number) as number },
      removeOnFail: { age: expect.any(Number) as number, count: expect.any(Number) as number },
    });
  });

  it('keeps its jobs when Redis is killed', async () => {
    const done: string[] = [];
    for (const key of ['a', 'b', 'c']) await ask(key);
    redis.kill();
    work(({ key }) => {
      done.push(key);
      return Promise.resolve();
    });
    await until('all are done', () => new Set(done).size === 3, patience_ms);
  });

  it('tells what a call led to, and what became of it, to its own tenant', async () => {
    const callId = `call_${test}`;
    const data = { ...sms, callId };
    // Those that were asked for within one ms come in any order.
    const order = ['sms well', 'sms badly', 'sms later', 'audit well'];
    const placeOf = ({ queue, key }: CallJob): number => order.indexOf(`${queue} ${key.split('/')[1]}`);
    const of = async (tenant = 'acme'): Promise<CallJob[]> =>
      (await jobs.ofCall({ tenant, callId })).toSorted((one, other) => placeOf(one) - placeOf(other));
    for (const key of ['well', 'badly', 'later'])
      await jobs.enqueue('sms', { tenant: 'acme', key: `${test}/${key}`, data });
    await ask('of no call');
    await jobs.enqueue('sms', { tenant: 'other', key: `${test}/theirs`, data });
    expect((await of()).map((job) => job.state)).toEqual(['waiting', 'waiting', 'waiting']);
    work(async ({ key, attempt }, tools) => {
      if (key.endsWith('badly')) throw new JobRefused('SMS_NUMBER_INVALID', 'no such number');
      if (key.endsWith('later') && attempt === 1) throw new Error('not yet');
      // What a job asks for belongs to its call, too.
      const entry = { at: AT, actor: 'test', action: 'sent' };
      if (key.endsWith('well')) await tools.jobs.enqueue('audit', { tenant: 'acme', key, data: entry });
    });
    const states = ['completed', 'failed', 'completed', 'waiting'];
    const statesOf = (jobs: readonly CallJob[]): string => jobs.map((job) => job.state).join();
    const found = await eventually('all are over', of, (jobs) => statesOf(jobs) === states.join());
    expect(found).toMatchObject([
      { queue: 'sms', key: `${test}/well`, attempts: 1, attemptsMax: QUEUES.sms.attempts, failure: null },
      { key: `${test}/badly`, attempts: 1, failure: 'SMS_NUMBER_INVALID: no such number' },
      { key: `${test}/later`, attempts: 2, failure: null },
      { queue: 'audit', key: `${test}/well`, endedAt: null },
    ]);
    expect((await of('other')).map((job) => job.key)).toEqual([`${test}/theirs`]);
    expect(await jobs.ofCall({ tenant: 'acme', callId: 'call_unknown' })).toEqual([]);
  });

  it('tells how much waits', async () => {
    await ask('a');
    await ask('b');
    expect(await jobs.depths()).toMatchObject({ sms: 2, crm: 0 });
  });
});

describe('pauses between tries', () => {
  it('double, end at a limit, and are shortened by up to a half', () => {
    const policy = { ...QUEUES.sms, backoffFirstMs: 100, backoffMaxMs: 1000 };
    const longest = [1, 2, 3, 4, 5, 6, 60].map((failures) => backoffMs(policy, failures, () => 0));
    expect(longest).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
    expect(backoffMs(policy, 3, () => 0.5)).toBe(300);
    expect(backoffMs(policy, 3, () => 0.999999)).toBe(200);
  });
});

describe('a job process', () => {
  let running: JobProcess | undefined;
  afterEach(async () => running?.close(1000));

  it('writes what gateways tell, and asks for what follows from it', async () => {
    running = await startJobProcess({
      ...{ redis: address(), database: { url: database.url, connectionsMax: 4, timeoutMs: 10_000 } },
      ...{ tenants: ['acme'], handlers: handlersOf({ lockMs: 1000 }), lockMs: 1000, log: silent },
    });
    const callId = `call_${test}`;
    const entries = [
      {
        type: 'opened',
        startedAt: AT,
        source: 'phone',
        sipCallId: 's',
        trunk: 't',
        profile: 'p',
        from: '+1',
        to: '+2',
      },
      { type: 'fact', index: 0, fact: { type: 'answered', atMs: 900 } },
      { type: 'fact', index: 1, fact: { type: 'heard', atMs: 1500, text: 'Hello?' } },
      {
        ...{ index: 0, at: AT, kind: 'model', provider: 'x', model: 'm', costUsd: 0.0125 },
        ...({ type: 'usage', units: { in: 3, out: 4.5 } } as const),
      },
      {
        type: 'closed',
        endedAt: AT,
        durationMs: 9,
        ending: 'x',
        endingClass: 'success',
        detail: null,
        media: { fromCaller: { packets: 450 } },
      },
    ] as const;
    const told = entries.map((word, index) => ({ seq: index + 1, callId, word }));
    const data = { type: 'words', gateway: 'gw', entries: told } as const;
    await jobs.enqueue('transcripts', { tenant: 'newcomer', key: 'gw/1-5', data });
    await jobs.enqueue('transcripts', { tenant: 'newcomer', key: 'gw/1-5 again', data });
    const act = { at: AT, actor: 'operator', action: 'call.ended' };
    await jobs.enqueue('audit', { tenant: 'newcomer', key: 'act', data: act });
    let depths: Record<string, number> = {};
    const look = async (): Promise<void> => {
      depths = await jobs.depths();
    };
    await until(
      'the queues are empty',
      () => {
        void look();
        return depths['transcripts'] === 0 && depths['audit'] === 0 && depths['crm'] === 1;
      },
      patience_ms,
    );
    const kept = await store.tenant('newcomer', async (unit) => ({
      call: await findCall(unit, callId),
      turns: await turnsOf(unit, callId),
      usage: await usageOf(unit, callId),
      legs: await legsOf(unit, callId),
      audit: await listAudit(unit, { limit: 5 }),
    }));
    expect(kept.call).toMatchObject({ answered_ms: 900, ending: 'x', trunk: 't' });
    expect(kept.turns.map((one) => one.text)).toEqual(['Hello?']);
    expect(kept.usage).toMatchObject([
      { unit: 'in', quantity: 3, cost_micros: 12_500, model: 'm' },
      { unit: 'out', quantity: 4.5, cost_micros: 0 },
    ]);
    expect(kept.legs).toMatchObject([{ kind: 'phone', stats: { fromCaller: { packets: 450 } } }]);
    expect(kept.legs[0]?.closed_at).toEqual(new Date(AT));
    expect(kept.audit).toMatchObject([{ seq: 1, actor: 'operator' }]);
    expect(depths).toMatchObject({ crm: 1, webhooks: 2 });
  });
});

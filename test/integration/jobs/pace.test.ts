/** Two job processes that ask providers at one pace, by a real Redis and the real queues. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import { JobWorker } from '../../../src/jobs/job-worker.ts';
import { sharedPace, type Pace, type PaceTable, type Turn } from '../../../src/jobs/pace.ts';
import { connectRedis } from '../../../src/jobs/redis.ts';
import { JobLater, type Handler } from '../../../src/jobs/work.ts';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { eventually, until } from '../../support/until.ts';

let redis: TestRedis;
let prefix = '';
let tests = 0;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  redis = await startRedis('no');
});
afterAll(() => redis.close());
beforeEach(() => {
  // Counts and queues of its own for every test.
  tests += 1;
  prefix = `pace${tests}`;
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** As one job process has it, with a connection of its own. */
async function open(table: PaceTable): Promise<Pace> {
  const connection = connectRedis(redis.address, { patient: false, log: silent });
  closers.push(() => connection.disconnect());
  await until('the connection', () => connection.status === 'ready');
  return sharedPace(connection, prefix, table);
}

/** How long the job is put off, in ms; 0: it may go on. */
async function waitOf(pace: Pace, key: string, more: Partial<Turn> = {}): Promise<number> {
  try {
    await pace({ tenant: 'acme', provider: 'twilio', key, requests: 1, ...more });
    return 0;
  } catch (error) {
    if (error instanceof JobLater) return error.delayMs;
    throw error;
  }
}

const twilio = (per_tenant_max: number, in_all_max = 0, window_ms = 10_000): PaceTable => ({
  twilio: { per_tenant_max, in_all_max, window_ms },
});

/** `ms`, less what passed meanwhile. */
function expectAbout(waitMs: number, ms: number): void {
  expect(waitMs).toBeLessThanOrEqual(ms);
  expect(waitMs).toBeGreaterThan(ms - 900);
}

describe('the pace of a provider', () => {
  it('gives jobs of a tenant one turn after another, whichever process they are in', async () => {
    const [one, other] = [await open(twilio(5)), await open(twilio(5))];
    expect(await waitOf(one, 'a')).toBe(0);
    expectAbout(await waitOf(other, 'b'), 2000);
    expectAbout(await waitOf(one, 'c'), 4000);
    expectAbout(await waitOf(other, 'd'), 6000);
  });

  it('gives a job one turn, however often it asks', async () => {
    const [one, other] = [await open(twilio(5)), await open(twilio(5))];
    expect(await waitOf(one, 'a')).toBe(0);
    for (let asked = 0; asked < 5; asked += 1)
      expectAbout(await waitOf(asked % 2 === 0 ? one : other, 'b'), 2000);
    expectAbout(await waitOf(one, 'c'), 4000);
  });

  it('counts the requests of a job', async () => {
    const pace = await open(twilio(10));
    expect(await waitOf(pace, 'long', { requests: 4 })).toBe(0);
    expectAbout(await waitOf(pace, 'next'), 4000);
  });

  it('is apart for each tenant and provider', async () => {
    const table = { ...twilio(5), telnyx: { per_tenant_max: 5, in_all_max: 0, window_ms: 10_000 } };
    const pace = await open(table);
    expect(await waitOf(pace, 'a')).toBe(0);
    expect(await waitOf(pace, 'a', { tenant: 'other' })).toBe(0);
    expect(await waitOf(pace, 'a', { provider: 'telnyx' })).toBe(0);
    expectAbout(await waitOf(pace, 'b', { tenant: 'other' }), 2000);
  });

  it('holds for all tenants together where it is said', async () => {
    const pace = await open(twilio(0, 5));
    expect(await waitOf(pace, 'a')).toBe(0);
    expectAbout(await waitOf(pace, 'a', { tenant: 'other' }), 2000);
    expectAbout(await waitOf(pace, 'b'), 4000);
  });

  it('lets a tenant with much to do hold up nobody but itself', async () => {
    const pace = await open(twilio(1, 1000));
    for (const key of ['a', 'b', 'c', 'd', 'e']) await waitOf(pace, key);
    expectAbout(await waitOf(pace, 'f'), 50_000);
    const other = { tenant: 'other' };
    await eventually(
      'its turn',
      () => waitOf(pace, 'a', other),
      (waitMs) => waitMs === 0,
    );
  });

  it('does not bind a driver without one, nor a job that asks nothing', async () => {
    const pace = await open({ ...twilio(1), telnyx: { per_tenant_max: 0, in_all_max: 0, window_ms: 1000 } });
    for (const key of ['a', 'b', 'c']) {
      expect(await waitOf(pace, key, { provider: 'telnyx' })).toBe(0);
      expect(await waitOf(pace, key, { provider: 'outbox' })).toBe(0);
      expect(await waitOf(pace, key, { requests: 0 })).toBe(0);
    }
  });

  it('lets a job go on when its turn has come, also when it is a little late', async () => {
    const pace = await open(twilio(20, 0, 4000));
    for (const key of ['a', 'b', 'c']) await waitOf(pace, key);
    await eventually(
      'the turn of b',
      () => waitOf(pace, 'b'),
      (waitMs) => waitMs === 0,
    );
    await eventually(
      'the turn of c',
      () => waitOf(pace, 'c'),
      (waitMs) => waitMs === 0,
    );
  });

  it('lets those who come much too late not go on all at once', async () => {
    const pace = await open(twilio(100, 0, 1000));
    const keys = Array.from({ length: 30 }, (_, nth) => `job-${nth}`);
    for (const key of keys) await waitOf(pace, key);
    // The worker was away meanwhile: all turns are over.
    const connection = connectRedis(redis.address, { patient: true, log: silent });
    closers.push(() => connection.disconnect());
    for (const key of keys) await connection.set(`${prefix}:pace:twilio:turn:acme:${key}`, Date.now() - 5000);
    const waits = await Promise.all(keys.map((key) => waitOf(pace, key)));
    expect(waits.filter((waitMs) => waitMs === 0).length).toBeLessThan(10);
    expect(Math.max(...waits)).toBeGreaterThan(150);
  });

  it('is not known while Redis is away, and the job waits', async () => {
    const pace = await open(twilio(5));
    await redis.stop();
    await expect(waitOf(pace, 'a')).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE' });
    await redis.start();
    await eventually(
      'it is known again',
      () => waitOf(pace, 'a'),
      (waitMs) => waitMs === 0,
    );
  });
});

describe('two job processes', () => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase('PGlite');
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  it('ask a provider evenly, for each tenant and in all, and count no try for it', async () => {
    const address = { ...redis.address, prefix };
    const jobs = new JobQueues(address, silent);
    closers.push(() => jobs.close());
    await until('the queues', () => {
      try {
        return jobs.all.length > 0;
      } catch {
        return false;
      }
    });
    // 10 a second of each tenant, 16 a second of both.
    const table = twilio(10, 16, 1000);
    const asked: { tenant: string; key: string; atMs: number; attempt: number }[] = [];
    const handler: Handler<'sms'> = async ({ tenant, key, attempt }, { pace }) => {
      await pace({ tenant, provider: 'twilio', key, requests: 1 });
      asked.push({ tenant, key, atMs: performance.now(), attempt });
    };
    const data = { callId: null, to: '+15550123', body: 'Hi' };
    const [count, tenants] = [15, ['acme', 'other']];
    for (let nth = 0; nth < count; nth += 1)
      for (const tenant of tenants) await jobs.enqueue('sms', { tenant, key: `${tests}/${nth}`, data });
    for (const pace of [await open(table), await open(table)]) {
      const tools = { store, jobs, pace, log: silent };
      const worker = new JobWorker({ queue: 'sms', handler, tools, redis: address, lockMs: 5000 });
      closers.push(() => worker.close(0));
    }
    await until('all are done', () => asked.length >= count * tenants.length, 30_000);
    expect(new Set(asked.map(({ tenant, key }) => `${tenant} ${key}`)).size).toBe(count * tenants.length);
    expect(asked.every(({ attempt }) => attempt === 1)).toBe(true);
    const spanOf = (of: typeof asked): number => (of.at(-1)?.atMs ?? 0) - (of[0]?.atMs ?? 0);
    for (const tenant of tenants)
      expect(spanOf(asked.filter((one) => one.tenant === tenant))).toBeGreaterThan((count - 1) * 100 - 150);
    expect(spanOf(asked)).toBeGreaterThan((2 * count - 1) * 62.5 - 150);
  });
});

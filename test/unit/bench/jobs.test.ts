import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobLoad, jobs_per_call } from '../../../bench/job-load.ts';
import { jobReport, type JobBench, type Phase } from '../../../bench/job-report.ts';
import { spreadOf } from '../../../bench/percentiles.ts';
import { jobTimes, timesOf } from '../../../bench/queue-watch.ts';
import { unwrap, wrap, type NewJob } from '../../../src/jobs/envelope.ts';
import type { QueueName } from '../../../src/jobs/queues.ts';
import { Journal } from '../../../src/room/journal.ts';
import { keepCalls } from '../../../src/gateway/keep-calls.ts';
import { silent } from '../../support/store/databases.ts';

describe('a load of jobs', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  interface Told {
    readonly queues: QueueName[];
    readonly words: string[];
    readonly failures: unknown[];
    readonly load: JobLoad;
  }

  function start(isBroken = false): Told {
    const journal = new Journal();
    const told = { queues: [] as QueueName[], words: [] as string[], failures: [] as unknown[] };
    keepCalls({
      ...{ journal, run: () => 'run_1', log: silent },
      sink: {
        append: (content) => {
          if (content.type === 'call') told.words.push(content.word.type);
          return true;
        },
      },
    });
    const enqueue = <Q extends QueueName>(queue: Q, job: NewJob<Q>): Promise<void> => {
      if (isBroken) return Promise.reject(new Error('full'));
      unwrap(queue, wrap(queue, job));
      told.queues.push(queue);
      return Promise.resolve();
    };
    const load = new JobLoad({
      journal,
      enqueue: { enqueue },
      failed: (one) => void told.failures.push(one),
    });
    return { ...told, load };
  }

  it('comes evenly, and what is told of it is what calls tell', () => {
    const { load, queues, words } = start();
    load.run(50);
    vi.advanceTimersByTime(1000);
    expect(load.calls).toBe(50);
    expect(queues.filter((one) => one === 'sms')).toHaveLength(50);
    expect(queues.filter((one) => one === 'audit')).toHaveLength(50);
    expect(words.filter((one) => one === 'opened')).toHaveLength(50);
    expect(words.filter((one) => one === 'closed')).toHaveLength(50);
    // Nine facts, one of which is billed.
    expect(words).toHaveLength(50 * 12);
  });

  it('ends when it is told to, and goes on where it was', () => {
    const { load } = start();
    load.run(100);
    vi.advanceTimersByTime(500);
    load.run(0);
    vi.advanceTimersByTime(500);
    expect(load.calls).toBe(50);
    load.run(10);
    vi.advanceTimersByTime(1000);
    expect(load.calls).toBe(60);
  });

  it('tells when the spool takes nothing', async () => {
    const { load, failures } = start(true);
    load.run(100);
    vi.advanceTimersByTime(10);
    load.run(0);
    await Promise.resolve();
    await vi.waitFor(() => expect(failures).toHaveLength(1));
  });
});

describe('times of jobs', () => {
  it('count from the asking', () => {
    const at = new Date(1000).toISOString();
    const jobs = [1, 2, 3].map((n) => ({ at, takenMs: 1000 + 10 * n, doneMs: 1000 + 100 * n }));
    expect(timesOf('sms', jobs)).toMatchObject({
      ...{ queue: 'sms', done: 3 },
      waitedMs: { p50: 20, max: 30 },
      doneAfterMs: { p50: 200, max: 300 },
    });
  });
});

describe('times of several stretches', () => {
  it('are of each queue that did something, and of all', () => {
    const job = (ms: number) => ({ at: new Date(1000).toISOString(), takenMs: 1000 + ms, doneMs: 1100 + ms });
    const first = new Map([
      ['crm', [job(10)]],
      ['sms', []],
    ]);
    const second = new Map([
      ['crm', [job(30)]],
      ['audit', [job(20)]],
    ]);
    const times = jobTimes([first, second]);
    expect(times.map(({ queue, done }) => [queue, done])).toEqual([
      ['crm', 2],
      ['audit', 1],
      ['all', 3],
    ]);
    expect(times[2]?.waitedMs).toMatchObject({ p50: 20, max: 30 });
    expect(jobTimes([])).toMatchObject([{ queue: 'all', done: 0 }]);
  });
});

describe('the report', () => {
  const one = spreadOf([1, 2, 3]);
  const phase = (name: string): Phase => ({
    ...{ name, jitterMs: one, delayMs: one, ownLateMs: one, probesLost: 0 },
    pacingLate: { p50Ms: 0.5, p99Ms: 1.5 },
    ...{ packetsMissing: 4, packetsReceived: 990, packetsExpected: 1000 },
    cpu: {
      ...{ gateway: 40, worker: 50.5, redis: 7, database: 30, mediasoup: 1, model: 13, callers: 11 },
      ...{ receiver: 2, others: 0 },
    },
  });
  const result: JobBench = {
    database: 'PGlite',
    ...{ calls: 50, phases: [phase('alone'), phase('with jobs'), phase('alone')] },
    loads: [{ askedPerSecond: 500, donePerSecond: 498.6, waiting: 12, drainedMs: 250 }],
    ...{ failed: [], times: [timesOf('crm', [])] },
  };

  it('has a row for each phase and each queue', () => {
    const text = jobReport([result, { ...result, database: 'Postgres' }]);
    expect(text.match(/^### .*$/gm)).toEqual([
      ...['PGlite', 'Postgres'].flatMap((database) => [
        `### On ${database}: the sound of 50 calls`,
        `### On ${database}: jobs`,
        `### On ${database}: CPU`,
      ]),
      '### How it is measured',
    ]);
    expect(text).toMatch(/\| with jobs +\| +2\.00 \| +3\.00 \| +0\.5 \| +1\.5 \|/);
    expect(text).toMatch(/\| 500 +\| +499 \| +12 \| +0\.3 \|/);
    expect(text).toContain('50.5');
    expect(text).toContain('99.0');
    expect(text).toMatch(/\| crm +\| +0 \| +– \|/);
    expect(text).not.toContain('What failed');
  });

  it('says what failed, and that nobody waited for the rest', () => {
    const loads = result.loads.map((load) => ({ ...load, drainedMs: null }));
    const text = jobReport([{ ...result, loads, failed: ['3 jobs failed'] }]);
    expect(text).toContain('What failed: 3 jobs failed');
    expect(text).toMatch(/\| +12 \| +– \|/);
  });

  it('knows what one call makes', () => {
    expect(jobs_per_call).toBe(9);
  });
});

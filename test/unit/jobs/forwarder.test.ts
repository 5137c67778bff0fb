import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { unwrap, wrap, type Envelope } from '../../../src/jobs/envelope.ts';
import { Forwarder, parcels, type Taker } from '../../../src/jobs/forwarder.ts';
import type { CallEntry } from '../../../src/jobs/payloads/transcripts.ts';
import type { QueueName } from '../../../src/jobs/queues.ts';
import type { SpoolContent, SpoolEntry } from '../../../src/jobs/spool/line.ts';
import { Spool } from '../../../src/jobs/spool/spool.ts';
import { SpooledEnqueue } from '../../../src/jobs/spooled-enqueue.ts';
import { SeededRandom } from '../../support/random.ts';
import { silent } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

let folder: string;
let spool: Spool;
const forwarders: Forwarder[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-forwarder-'));
  spool = await openSpool();
});
afterEach(async () => {
  await spool.close();
  await Promise.all(forwarders.splice(0).map((one) => one.close()));
  await rm(folder, { recursive: true });
});

function openSpool(): Promise<Spool> {
  return Spool.open({
    ...{ folder, fsync: 'never', fsyncIntervalMs: 5, segmentBytes: 2000, bytesMax: 10_000_000, log: silent },
  });
}

function word(n: number, tenant = 'acme'): SpoolContent {
  const fact = { type: 'heard', atMs: n, text: `word ${n}` };
  return { type: 'call', tenant, callId: 'call_1', word: { type: 'fact', index: n, fact } };
}

function job(key: string): SpoolContent {
  const data = { type: 'call-ended', callId: key } as const;
  return { type: 'job', queue: 'crm', envelope: wrap('crm', { tenant: 'acme', key, data }) };
}

function wordsOf(envelope: Envelope): CallEntry[] {
  const { data } = unwrap('transcripts', envelope);
  return data.type === 'words' ? data.entries : [];
}

interface Taken {
  readonly queue: QueueName;
  readonly envelope: Envelope;
  readonly delayMs: number | undefined;
}

/** Redis that is away when `isAway` says so; it may have taken what it then denies. */
class ShakyTaker implements Taker {
  readonly taken: Taken[] = [];
  asked = 0;
  isAway: () => boolean = () => false;

  add(queue: QueueName, envelopes: readonly Envelope[], delayMs?: number): Promise<void> {
    this.asked += 1;
    if (this.isAway()) return Promise.reject(new Error('away'));
    for (const envelope of envelopes) this.taken.push({ queue, envelope, delayMs });
    return this.isAway() ? Promise.reject(new Error('away before it could say so')) : Promise.resolve();
  }

  /** Numbers of the words, in the order in which they were taken. */
  get indexes(): number[] {
    return this.taken.flatMap(({ queue, envelope }) =>
      queue === 'transcripts' ? wordsOf(envelope).map(({ seq }) => seq) : [],
    );
  }
}

/** Pauses last until the next turn of the event loop. */
const impatient: Clock = {
  nowMs: () => performance.now(),
  after: (_ms, fire) => {
    const immediate = setImmediate(fire);
    return () => clearImmediate(immediate);
  },
};

function forward(taker: Taker): Forwarder {
  const forwarder = new Forwarder({ spool, taker, log: silent, clock: impatient });
  forwarders.push(forwarder);
  return forwarder;
}

describe('a forwarder', () => {
  it('hands everything on, in order, and empties the spool', async () => {
    const taker = new ShakyTaker();
    forward(taker);
    for (let n = 1; n <= 300; n += 1) spool.append(word(n));
    await until('the spool is empty', () => spool.waiting === 0);
    expect(taker.indexes).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  });

  it('waits while nobody takes anything, and then leaves nothing out', async () => {
    const taker = new ShakyTaker();
    let away = true;
    taker.isAway = () => away;
    const forwarder = forward(taker);
    for (let n = 1; n <= 50; n += 1) spool.append(word(n));
    await until('it noticed', () => forwarder.isAway);
    expect([taker.taken.length, spool.waiting]).toEqual([0, 50]);
    away = false;
    await until('the spool is empty', () => spool.waiting === 0);
    expect(taker.indexes).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(forwarder.isAway).toBe(false);
  });

  it('repeats what it cannot know to be taken, and skips nothing', async () => {
    const taker = new ShakyTaker();
    const random = new SeededRandom(7);
    const isOther = (n: number): boolean => n % 10 === 0;
    taker.isAway = () => random.chance(0.3);
    forward(taker);
    for (let n = 1; n <= 120; n += 1) {
      spool.append(word(n, isOther(n) ? 'other' : 'acme'));
      if (n % 15 === 0) await spool.settled();
    }
    await until('the spool is empty', () => spool.waiting === 0, 15_000);
    const { indexes } = taker;
    const firsts = indexes.filter((one, place) => indexes.indexOf(one) === place);
    const all = Array.from({ length: 120 }, (_, n) => n + 1);
    expect(firsts.filter(isOther)).toEqual(all.filter(isOther));
    expect(firsts.filter((n) => !isOther(n))).toEqual(all.filter((n) => !isOther(n)));
  });

  it('goes on after a restart where it was', async () => {
    const first = new ShakyTaker();
    const forwarder = forward(first);
    for (let n = 1; n <= 20; n += 1) spool.append(word(n));
    await until('the spool is empty', () => spool.waiting === 0);
    await spool.close();
    await forwarder.close();
    spool = await openSpool();
    const second = new ShakyTaker();
    forward(second);
    for (let n = 21; n <= 30; n += 1) spool.append(word(n));
    await until('the spool is empty', () => spool.waiting === 0);
    expect(second.indexes).toEqual(Array.from({ length: 10 }, (_, n) => n + 21));
  });

  it('takes jobs that were asked for to their queues, with their delay', async () => {
    const taker = new ShakyTaker();
    forward(taker);
    const jobs = new SpooledEnqueue(spool);
    const data = { callId: null, to: '+15550123', body: 'Hi' };
    await jobs.enqueue('sms', { tenant: 'acme', key: 'k', data, delayMs: 5000 });
    await until('the spool is empty', () => spool.waiting === 0);
    expect(taker.taken).toMatchObject([{ queue: 'sms', delayMs: 5000, envelope: { key: 'k', data } }]);
    const wrong = jobs.enqueue('sms', { tenant: 'acme', key: 'k', data: { ...data, to: 'nobody' } });
    await expect(wrong).rejects.toMatchObject({ code: 'JOB_PAYLOAD_INVALID' });
  });

  it('takes what waits together there together, each queue in its order', async () => {
    for (let n = 1; n <= 10; n += 1) {
      spool.append(job(`job ${n}`));
      spool.append(word(2 * n));
    }
    await spool.settled();
    const taker = new ShakyTaker();
    forward(taker);
    await until('the spool is empty', () => spool.waiting === 0);
    const keys = taker.taken.flatMap(({ queue, envelope }) => (queue === 'crm' ? [envelope.key] : []));
    expect(keys).toEqual(Array.from({ length: 10 }, (_, n) => `job ${n + 1}`));
    expect(taker.indexes).toEqual(Array.from({ length: 10 }, (_, n) => 2 * n + 2));
    // Two queues, a few files.
    expect(taker.asked).toBeLessThan(10);
  });

  it('gathers what comes after a round, and does not wait while a whole batch does', async () => {
    const taker = new ShakyTaker();
    const pauses: (() => void)[] = [];
    const after = (_ms: number, fire: () => void): (() => void) => {
      pauses.push(fire);
      return () => undefined;
    };
    const clock = { nowMs: () => performance.now(), after };
    const pause = async (): Promise<(() => void) | undefined> => {
      await until('a pause', () => pauses.length > 0);
      return pauses.shift();
    };
    forwarders.push(new Forwarder({ spool, taker, log: silent, clock }));
    spool.append(word(1));
    const first = await pause();
    expect(taker.indexes).toEqual([1]);
    for (let n = 2; n <= 5; n += 1) {
      spool.append(word(n));
      await spool.settled();
    }
    expect(taker.indexes).toEqual([1]);
    first?.();
    const second = await pause();
    expect([taker.indexes, taker.asked]).toEqual([[1, 2, 3, 4, 5], 2]);
    for (let n = 6; n <= 1000; n += 1) spool.append(word(n));
    second?.();
    await pause();
    expect(spool.waiting).toBeLessThan(200);
  });

  it('is not held up by a job of a queue that is gone', async () => {
    const taker = new ShakyTaker();
    forward(taker);
    spool.append({ ...job('a'), queue: 'fax' } as SpoolContent);
    spool.append(word(2));
    await until('the spool is empty', () => spool.waiting === 0);
    expect(taker.indexes).toEqual([2]);
  });

  it('can be closed while it waits for the other side', async () => {
    const taker = new ShakyTaker();
    taker.isAway = () => true;
    const forwarder = forward(taker);
    spool.append(word(1));
    await until('it noticed', () => forwarder.isAway);
    await forwarder.close();
    expect(spool.waiting).toBe(1);
  });
});

describe('parcels', () => {
  const entries = (...contents: SpoolContent[]): SpoolEntry[] =>
    contents.map((content, index) => ({ seq: index + 1, content }));

  it('hold the words of one tenant together, and jobs alone', () => {
    const made = parcels('gw', entries(word(1), word(2), word(3, 'other'), job('a'), job('b'), word(6)));
    expect(made.map(({ queue, envelope }) => [queue, envelope.tenant, envelope.key])).toEqual([
      ['transcripts', 'acme', 'gw/1-6'],
      ['transcripts', 'other', 'gw/3-3'],
      ['crm', 'acme', 'a'],
      ['crm', 'acme', 'b'],
    ]);
    expect(made[0]?.envelope.data).toMatchObject({ entries: [{ seq: 1 }, { seq: 2 }, { seq: 6 }] });
  });

  it('have a size that one job can bear', () => {
    const made = parcels('gw', entries(...Array.from({ length: 450 }, (_, n) => word(n + 1))));
    expect(made.map(({ envelope }) => envelope.key)).toEqual(['gw/1-200', 'gw/201-400', 'gw/401-450']);
  });

  it('say of every word which life of the gateway it is of', () => {
    const [made] = parcels('gw', entries({ ...word(1), run: 'run_1' } as SpoolContent, word(2)));
    const words = made === undefined ? [] : wordsOf(made.envelope);
    // The second is a line of a version whose runs had no name.
    expect(words.map(({ run }) => run)).toEqual(['run_1', '']);
  });

  it('are none of nothing', () => {
    expect(parcels('gw', [])).toEqual([]);
  });
});

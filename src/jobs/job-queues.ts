/** The queues from the side of whoever fills them: envelopes go to Redis, each job once. */
import { Queue, type JobsOptions } from 'bullmq';
import { TrunklineError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { callJobs, noteCallJobs, type CallJob } from './call-jobs.ts';
import type { Enqueue } from './enqueue.ts';
import { GatheredWrites } from './gathered-writes.ts';
import { jobIdOf, wrap, type Envelope, type NewJob } from './envelope.ts';
import { QUEUES, QUEUE_NAMES, type QueueName } from './queues.ts';
import { connectRedis, type RedisAddress } from './redis.ts';

/**
 * Done jobs stay so long for people to look at, and as the memory by which a job that comes again is known.
 */
const kept_done = { age: 24 * 3600, count: 5000 };
const kept_failed = { age: 7 * 24 * 3600, count: 5000 };
/** Jobs that one write to Redis takes when many are asked for at once. */
const jobs_together_max = 200;
/** Longest wait for an answer of Redis, in ms. */
const take_ms_max = 5000;

export class JobQueues implements Enqueue {
  readonly #address: RedisAddress;
  readonly #redis: ReturnType<typeof connectRedis>;
  readonly #asked = new GatheredWrites<Envelope>({ entriesMax: jobs_together_max, failTogether: true });
  #queues: ReadonlyMap<QueueName, Queue> | undefined;

  constructor(address: RedisAddress, log: Log) {
    this.#address = address;
    this.#redis = connectRedis(address, { patient: false, log });
  }

  /**
   * Made when Redis is there for the first time: a queue that meets none at its making never gets over it.
   * @throws TrunklineError JOBS_UNAVAILABLE
   */
  #ready(): ReadonlyMap<QueueName, Queue> {
    if (this.#redis.status !== 'ready') throw new TrunklineError('JOBS_UNAVAILABLE', 'Redis is away');
    this.#queues ??= new Map(
      QUEUE_NAMES.map((name) => {
        const queue = new Queue(name, { connection: this.#redis, prefix: this.#address.prefix });
        queue.on('error', () => undefined);
        return [name, queue];
      }),
    );
    return this.#queues;
  }

  /** For pages that show them. @throws TrunklineError JOBS_UNAVAILABLE */
  get all(): readonly Queue[] {
    return [...this.#ready().values()];
  }

  async enqueue<Q extends QueueName>(queue: Q, job: NewJob<Q>): Promise<void> {
    const { delayMs = 0 } = job;
    await this.#asked.add(`${queue} ${delayMs}`, wrap(queue, job), (envelopes) =>
      this.add(queue, envelopes, delayMs),
    );
  }

  /**
   * Resolves when Redis has all of them. A job that it had before is not added again.
   * @throws TrunklineError JOBS_UNAVAILABLE: it may have taken some
   */
  add(queue: QueueName, envelopes: readonly Envelope[], delayMs = 0): Promise<void> {
    const named = envelopes.map((envelope) => ({ id: jobIdOf(envelope.tenant, envelope.key), envelope }));
    return this.#give(queue, named, delayMs);
  }

  /** A job that died is given back: with a new id, as the old one is among the failed. */
  replay(queue: QueueName, envelope: Envelope, replays: number): Promise<void> {
    const id = jobIdOf(envelope.tenant, `${envelope.key}#${replays}`);
    return this.#give(queue, [{ id, envelope }], 0);
  }

  async #give(
    queue: QueueName,
    named: readonly { readonly id: string; readonly envelope: Envelope }[],
    delay: number,
  ): Promise<void> {
    const { attempts } = QUEUES[queue];
    const jobs = named.map(({ id: jobId, envelope: data }) => ({
      ...{ name: queue, data },
      opts: {
        ...{ jobId, attempts, delay, backoff: { type: 'bounded' } },
        ...{ removeOnComplete: kept_done, removeOnFail: kept_failed },
      } satisfies JobsOptions,
    }));
    const added = Promise.resolve(this.#ready().get(queue)?.addBulk(jobs));
    await answered(Promise.all([added, noteCallJobs(this.#redis, this.#address.prefix, queue, named)]));
  }

  /** What a call led to, and what became of it. @throws TrunklineError JOBS_UNAVAILABLE */
  async ofCall(of: { tenant: string; callId: string }): Promise<CallJob[]> {
    return answered(callJobs(this.#redis, this.#address.prefix, this.#ready(), of));
  }

  /** Jobs that wait, run or are delayed, by queue. @throws TrunklineError JOBS_UNAVAILABLE */
  async depths(): Promise<Record<QueueName, number>> {
    const counted = await Promise.all(
      [...this.#ready()].map(async ([name, queue]): Promise<[QueueName, number]> => {
        const counts = await answered(queue.getJobCounts('wait', 'active', 'delayed', 'prioritized'));
        return [name, Object.values(counts).reduce((sum, one) => sum + one, 0)];
      }),
    );
    return Object.fromEntries(counted) as Record<QueueName, number>;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...(this.#queues?.values() ?? [])].map((queue) => queue.close().catch(() => undefined)),
    );
    this.#redis.disconnect();
  }
}

/** @throws TrunklineError JOBS_UNAVAILABLE: Redis refused, or gave no answer in time */
async function answered<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = (): Error => new Error(`no answer of Redis within ${take_ms_max} ms`);
  const timer = setTimeout(() => reject(late()), take_ms_max);
  try {
    return await Promise.race([work, promise]);
  } catch (error) {
    if (error instanceof TrunklineError) throw error;
    throw new TrunklineError('JOBS_UNAVAILABLE', messageOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The other end of a queue: opens each envelope, runs its handler within its time, and decides what becomes
 * of a failure: later when the database or Redis is away, again after a pause, or to the dead letters, whole
 * and with the reason.
 */
import { DelayedError, UnrecoverableError, Worker, type Job } from 'bullmq';
import { messageOf, TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { noTracer, type Span, type Tracer } from '../base/tracing.ts';
import { SYSTEM_TENANT } from '../store/store.ts';
import { addDeadLetter } from '../store/tables/dead-letters.ts';
import type { Enqueue } from './enqueue.ts';
import { envelopeSchema, unwrap, type Opened } from './envelope.ts';
import { QUEUES, type QueueName, type QueuePolicy } from './queues.ts';
import { connectRedis, type RedisAddress } from './redis.ts';
import { JobLater, JobRefused, type Handler, type WorkTools } from './work.ts';

export interface JobWorkerOptions<Q extends QueueName> {
  readonly queue: Q;
  readonly handler: Handler<Q>;
  readonly tools: WorkTools;
  readonly redis: RedisAddress;
  /** A job whose process died is taken up by another one after so long, in ms. */
  readonly lockMs: number;
  readonly random?: () => number;
  /** Each try is a span that goes on from whoever asked for the job; nothing is traced without. */
  readonly tracer?: Tracer;
}

/** A job that ends its process with it each time goes to the dead letters in the end. */
const stalled_times_max = 20;
/** The database, and Redis when a job asks for others: neither is the fault of a job. */
const AWAY: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'JOBS_UNAVAILABLE']);
const away_pause_ms = 1000;

/** The pause before the next try, in ms: doubling, bounded, and shortened by up to a half at random. */
export function backoffMs(policy: QueuePolicy, failures: number, random: () => number = Math.random): number {
  const { backoffFirstMs, backoffMaxMs } = policy;
  const whole = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(whole * (1 - random() / 2));
}

export class JobWorker<Q extends QueueName> {
  readonly #options: JobWorkerOptions<Q>;
  readonly #log: Log;
  readonly #redis: ReturnType<typeof connectRedis>;
  readonly #worker: Worker;
  /** Aborts the jobs under way; one that is done is forgotten, with all that it held. */
  readonly #underWay = new Set<AbortController>();

  constructor(options: JobWorkerOptions<Q>) {
    this.#options = options;
    const { queue, tools, redis, lockMs, random = Math.random } = options;
    this.#log = tools.log.child({ queue });
    this.#redis = connectRedis(redis, { patient: true, log: this.#log });
    this.#worker = new Worker(queue, (job, token) => this.#process(job, token), {
      connection: this.#redis,
      prefix: redis.prefix,
      concurrency: QUEUES[queue].concurrency,
      // Counted in Redis for whoever asks: the gateway tells Prometheus.
      metrics: { maxDataPoints: 1 },
      ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: stalled_times_max, drainDelay: 2 },
      settings: { backoffStrategy: (failures) => backoffMs(QUEUES[queue], failures, random) },
    });
    this.#worker.on('error', (error) =>
      this.#log.debug({ detail: messageOf(error) }, 'the queue is in trouble'),
    );
    // Given up by the queue itself, without a try of ours that could have told of it.
    this.#worker.on('failed', (job, error) => {
      if (job !== undefined && error.message.includes('stalled'))
        void this.#bury(job, 'JOB_STALLED', error.message).catch((failure: unknown) =>
          this.#log.error(
            { detail: messageOf(failure), jobId: job.id },
            'a dead letter could not be written',
          ),
        );
    });
  }

  /** Waits for jobs under way for `patienceMs`, then aborts them: they are taken up again elsewhere. */
  async close(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#underWay.forEach((one) => one.abort()), patienceMs);
    await this.#worker.close();
    clearTimeout(timer);
    this.#redis.disconnect();
  }

  async #process(job: Job, token: string | undefined): Promise<void> {
    const { queue, tracer = noTracer } = this.#options;
    const attempt = job.attemptsMade + 1;
    let opened: Opened<Q>;
    try {
      opened = unwrap(queue, job.data);
    } catch (error) {
      return this.#giveUp(job, token, 'JOB_PAYLOAD_INVALID', messageOf(error));
    }
    const { tenant, key, traceparent: parent = '' } = opened;
    const attributes = { tenant, key, attempt };
    const span = tracer.start(`job ${queue}`, { parent, kind: 'consumer', attributes });
    try {
      await this.#work(opened, attempt, span);
      span.end();
    } catch (error) {
      // The code alone: what is wrong in detail may name people, and stands in the log.
      span.end(error instanceof JobLater ? {} : { failed: codeOf(error) });
      if (error instanceof JobLater) return this.#later(job, token, error.delayMs);
      if (error instanceof TrunklineError && AWAY.has(error.code)) return this.#later(job, token);
      const code = codeOf(error);
      const isLast = error instanceof JobRefused || attempt >= (job.opts.attempts ?? 1);
      this.#log.warn({ key: opened.key, attempt, code, detail: messageOf(error), isLast }, 'a job failed');
      if (isLast) return this.#giveUp(job, token, code, messageOf(error));
      throw error;
    }
  }

  async #work(opened: Opened<Q>, attempt: number, { traceparent }: Span): Promise<void> {
    const { queue, handler, tools } = this.#options;
    const { callId } = opened;
    // Jobs that a job asks for go on from it and belong to its call, unless it says otherwise.
    const jobs: Enqueue = {
      enqueue: (name, job) => tools.jobs.enqueue(name, { traceparent, callId, ...job }),
    };
    const control = new AbortController();
    const { signal } = control;
    // Cleared with the job: a timeout that is left alone holds on to it for as long as it may run.
    const timer = setTimeout(() => control.abort(), QUEUES[queue].timeoutMs);
    this.#underWay.add(control);
    try {
      await Promise.race([handler({ ...opened, attempt, signal }, { ...tools, jobs }), aborted(signal)]);
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(control);
    }
  }

  /** Ends the job once its dead letter is written; not before, or it would be on the floor. */
  async #giveUp(job: Job, token: string | undefined, code: string, detail: string): Promise<never> {
    try {
      await this.#bury(job, code, detail);
    } catch (error) {
      this.#log.error({ detail: messageOf(error), jobId: job.id }, 'a dead letter could not be written yet');
      return this.#later(job, token);
    }
    throw new UnrecoverableError(`${code}: ${detail}`.slice(0, 1000));
  }

  /** Not the job's fault: it waits, and no try is counted. */
  async #later(job: Job, token: string | undefined, pauseMs = away_pause_ms): Promise<never> {
    await job.moveToDelayed(Date.now() + pauseMs, token);
    throw new DelayedError();
  }

  async #bury(job: Job, code: string, detail: string): Promise<void> {
    const { queue, tools } = this.#options;
    const named = envelopeSchema.pick({ tenant: true, key: true }).safeParse(pick(job.data));
    const { tenant, key } = named.data ?? { tenant: SYSTEM_TENANT, key: job.id ?? '' };
    await tools.store.ensureTenants([tenant]);
    await tools.store.tenant(tenant, (unit) =>
      addDeadLetter(unit, {
        ...{ queue, jobKey: key, payload: job.data as unknown, code, detail },
        attempts: job.attemptsMade + 1,
      }),
    );
    this.#log.error({ tenant, key, code, detail }, 'a job is in the dead letters');
  }
}

function codeOf(error: unknown): string {
  return error instanceof TrunklineError || error instanceof JobRefused ? error.code : 'JOB_FAILED';
}

function pick(data: unknown): { tenant: unknown; key: unknown } {
  const given = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  return { tenant: given['tenant'], key: given['key'] };
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error('the job took too long')), { once: true });
  promise.catch(() => undefined);
  return promise;
}

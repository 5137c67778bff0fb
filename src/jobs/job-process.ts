/** What a job process is made of: the store, the queues, and a worker for every queue that has a handler. */
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { noTracer, type Tracer } from '../base/tracing.ts';
import { Store } from '../store/store.ts';
import { JobQueues } from './job-queues.ts';
import { sharedPace, type PaceTable } from './pace.ts';
import { JobWorker } from './job-worker.ts';
import { QUEUE_NAMES, type QueueName } from './queues.ts';
import { connectRedis, type RedisAddress } from './redis.ts';
import type { Handler, Handlers, WorkTools } from './work.ts';

export interface JobProcessOptions {
  readonly redis: RedisAddress;
  readonly database: { readonly url: string; readonly connectionsMax: number; readonly timeoutMs: number };
  /** Made to exist in the store at the start; others come with their first call. */
  readonly tenants: readonly string[];
  readonly handlers: Handlers;
  /** Further handlers, with the connections that they use: closed after the last job. */
  readonly provide?: (tools: WorkTools) => { readonly handlers: Handlers; close(): Promise<void> };
  readonly lockMs: number;
  /** How fast providers may be asked; as fast as it goes without. */
  readonly paces?: PaceTable;
  /** Closed after the last job. */
  readonly tracer?: Tracer;
  readonly log: Log;
}

export interface JobProcess {
  /** Lets jobs under way finish for `patienceMs`. */
  close(patienceMs: number): Promise<void>;
}

const migrate_again_ms = 500;

/** Waits for the database as long as it takes. @throws TrunklineError STORE_MIGRATION_INVALID */
export async function startJobProcess(options: JobProcessOptions): Promise<JobProcess> {
  const { redis, database, provide, lockMs, paces = {}, log, tracer = noTracer } = options;
  const store = Store.open({ ...database, log });
  await prepare(store, options);
  const jobs = new JobQueues(redis, log);
  const counts = connectRedis(redis, { patient: false, log });
  const pace = sharedPace(counts, redis.prefix, paces);
  const tools: WorkTools = { store, jobs, pace, log };
  const provided = provide?.(tools);
  const handlers = { ...options.handlers, ...provided?.handlers };
  const workers = QUEUE_NAMES.flatMap((queue) => {
    const handler = handlers[queue] as Handler<QueueName> | undefined;
    return handler === undefined ? [] : [new JobWorker({ queue, handler, tools, redis, lockMs, tracer })];
  });
  log.info({ queues: QUEUE_NAMES.filter((name) => handlers[name] !== undefined) }, 'jobs are worked on');
  return {
    close: async (patienceMs) => {
      await Promise.all(workers.map((worker) => worker.close(patienceMs)));
      await provided?.close();
      await tracer.close();
      counts.disconnect();
      await jobs.close();
      await store.close();
    },
  };
}

async function prepare(store: Store, { tenants, log }: JobProcessOptions): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const ran = await store.migrate();
      if (ran.length > 0) log.info({ migrations: ran }, 'the database was brought up to date');
      await store.ensureTenants(tenants);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE')) throw error;
      if (tries % 20 === 0) log.warn({ detail: messageOf(error) }, 'waiting for the database');
      const { promise, resolve } = Promise.withResolvers<undefined>();
      systemClock.after(migrate_again_ms, () => resolve(undefined));
      await promise;
    }
  }
}

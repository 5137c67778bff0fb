/**
 * Which jobs a call led to, and what became of them: a list per call in Redis, as old as the jobs that Redis
 * remembers. Jobs that were given up stand among the dead letters for longer.
 */
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { envelopeSchema, jobIdOf, type Envelope } from './envelope.ts';
import type { QueueName } from './queues.ts';

/** `delayed`: put off, or waiting for its next try. `failed`: given up. */
export type JobState = 'waiting' | 'active' | 'delayed' | 'completed' | 'failed';

export interface CallJob {
  readonly queue: string;
  readonly key: string;
  readonly state: JobState;
  /** Tries that ended, and how many there may be. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** When it was asked for, and when it was done or given up. */
  readonly askedAt: string;
  readonly endedAt: string | null;
  /** Why its last try failed; null when it did not. */
  readonly failure: string | null;
}

const STATES: ReadonlySet<string> = new Set(['waiting', 'active', 'delayed', 'completed', 'failed']);
/** As long as failed jobs are kept. */
const kept_s = 7 * 24 * 3600;
const jobs_shown_max = 200;

const listKey = (prefix: string, tenant: string, callId: string): string =>
  `${prefix}:jobs-of-call:${jobIdOf(tenant, callId)}`;

/** Writes down which of these jobs follow from calls; all in one go. `id` is the job's in Redis. */
export async function noteCallJobs(
  redis: Redis,
  prefix: string,
  queue: QueueName,
  jobs: readonly { readonly id: string; readonly envelope: Envelope }[],
): Promise<void> {
  const lists = new Map<string, string[]>();
  for (const { id, envelope } of jobs) {
    const { tenant, at, callId } = envelope;
    if (callId === undefined) continue;
    const list = listKey(prefix, tenant, callId);
    const entries = lists.get(list) ?? [];
    lists.set(list, [...entries, String(Date.parse(at)), `${queue} ${id}`]);
  }
  // The first time counts: a job that is asked for again keeps its place.
  const writes = [...lists].map(([list, entries]) => [
    redis.zadd(list, 'NX', ...entries),
    redis.expire(list, kept_s),
  ]);
  await Promise.all(writes.flat());
}

/** In the order of the ms in which they were asked for, without those that Redis has forgotten. */
export async function callJobs(
  redis: Redis,
  prefix: string,
  queues: ReadonlyMap<string, Queue>,
  of: { readonly tenant: string; readonly callId: string },
): Promise<CallJob[]> {
  const listed = await redis.zrange(listKey(prefix, of.tenant, of.callId), 0, `${jobs_shown_max - 1}`);
  const found = await Promise.all(
    listed.map(async (entry) => {
      const [name = '', id = ''] = entry.split(' ');
      const queue = queues.get(name);
      const asked = await queue?.getJobState(id);
      const job = (await queue?.getJob(id)) as Job | undefined;
      if (job === undefined) return undefined;
      // It may have ended between the two questions.
      const state = job.finishedOn === undefined ? asked : await queue?.getJobState(id);
      return shown(job, state ?? 'waiting', of.tenant);
    }),
  );
  return found.filter((job) => job !== undefined);
}

function shown(job: Job, state: string, tenant: string): CallJob | undefined {
  const envelope = envelopeSchema.safeParse(job.data);
  if (!envelope.success || envelope.data.tenant !== tenant) return undefined;
  const { attemptsMade: attempts, finishedOn, opts, failedReason } = job;
  return {
    ...{ queue: job.queueName, key: envelope.data.key, attempts, attemptsMax: opts.attempts ?? 1 },
    state: STATES.has(state) ? (state as JobState) : 'waiting',
    askedAt: envelope.data.at,
    endedAt: finishedOn === undefined ? null : new Date(finishedOn).toISOString(),
    failure: state === 'completed' ? null : failedReason || null,
  };
}

/** How jobs are asked for. The gateway's goes through its spool, the job process writes to Redis. */
import type { NewJob } from './envelope.ts';
import type { QueueName } from './queues.ts';

export interface Enqueue {
  /**
   * Resolves when the job cannot be lost any more: on this machine's disk, or in Redis.
   * @throws TrunklineError JOB_PAYLOAD_INVALID, JOBS_UNAVAILABLE
   */
  enqueue<Q extends QueueName>(queue: Q, job: NewJob<Q>): Promise<void>;
}

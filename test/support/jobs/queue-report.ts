/** What Redis holds of the queues: when they are done, and what is late rather than lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import type { RedisAddress } from '../../../src/jobs/redis.ts';
import { silent } from '../store/databases.ts';

/** More of them say nothing new. */
const jobs_max = 50;
const look_every_ms = 250;

/** @throws Error with a report when the jobs do not get fewer for `patienceMs` */
export async function untilJobsAreDone(address: RedisAddress, patienceMs: number): Promise<void> {
  const queues = new JobQueues(address, silent);
  let fewest = Infinity;
  let giveUpMs = performance.now() + patienceMs;
  try {
    while (fewest > 0) {
      await pause(look_every_ms);
      // Redis may be on its way back.
      const depths = await queues.depths().catch(() => undefined);
      const left = depths && Object.values(depths).reduce((sum, one) => sum + one, 0);
      if (left !== undefined && left < fewest) {
        fewest = left;
        giveUpMs = performance.now() + patienceMs;
      }
      if (performance.now() > giveUpMs) throw new Error(`jobs do not get done:\n${await told(queues)}`);
    }
  } finally {
    await queues.close();
  }
}

/** One line per queue with its counts, and one per job that is not done, with its tries and their reason. */
export async function queueReport(address: RedisAddress): Promise<string> {
  const queues = new JobQueues(address, silent);
  try {
    while (!(await queues.depths().catch(() => undefined))) await pause(look_every_ms);
    return await told(queues);
  } finally {
    await queues.close();
  }
}

async function told(queues: JobQueues): Promise<string> {
  const lines: string[] = [];
  for (const queue of queues.all) {
    lines.push(`${queue.name} ${JSON.stringify(await queue.getJobCounts())}`);
    for (const job of await queue.getJobs(['wait', 'active', 'delayed', 'failed'], 0, jobs_max))
      lines.push(`  ${await job.getState()} after ${job.attemptsMade} tries: ${job.failedReason}`);
  }
  return lines.join('\n');
}

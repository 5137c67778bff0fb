/** What Redis holds of the queues: when they are done, and what is late rather than lost. */
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import type { RedisAddress } from '../../../src/jobs/redis.ts';
import { silent } from '../store/databases.ts';
import { eventually } from '../until.ts';

/** More of them say nothing new. */
const jobs_max = 50;

/** @throws Error with a report when the jobs do not get fewer for `patienceMs` */
export async function untilJobsAreDone(address: RedisAddress, patienceMs: number): Promise<void> {
  const queues = new JobQueues(address, silent);
  let fewest = Infinity;
  let giveUpMs = performance.now() + patienceMs;
  const isEnough = (left: number): boolean => {
    if (left < fewest) giveUpMs = performance.now() + patienceMs;
    fewest = Math.min(fewest, left);
    return left === 0 || performance.now() > giveUpMs;
  };
  try {
    // Redis may be on its way back.
    const left = await eventually('an answer of Redis', () => jobsLeft(queues), isEnough, patienceMs * 4);
    if (left > 0) throw new Error(`jobs do not get done:\n${await told(queues)}`);
  } finally {
    await queues.close();
  }
}

async function jobsLeft(queues: JobQueues): Promise<number> {
  return Object.values(await queues.depths()).reduce((sum, one) => sum + one, 0);
}

/** One line per queue with its counts, and one per job that is not done, with its tries and their reason. */
export async function queueReport(address: RedisAddress): Promise<string> {
  const queues = new JobQueues(address, silent);
  try {
    return await eventually(
      'an answer of Redis',
      () => told(queues),
      () => true,
    );
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

/** What became of jobs, as Redis tells it: how many were done, how many wait, and how long each took. */
import type { JobQueues } from '../src/jobs/job-queues.ts';
import { spreadOf, type Spread } from './percentiles.ts';

export interface JobTimes {
  readonly queue: string;
  /** Done within the stretch of time that was asked for, as far as Redis remembers them. */
  readonly done: number;
  /** Asked for to taken up by a worker, and to done, in ms. */
  readonly waitedMs: Spread;
  readonly doneAfterMs: Spread;
}

/** A done job, as far as it is looked at. */
export interface DoneJob {
  /** When it was asked for. */
  readonly at: string;
  readonly takenMs: number;
  readonly doneMs: number;
}

/** Done and failed for good since the start, over all queues. */
export async function outcomesOf(queues: JobQueues): Promise<{ done: number; failed: number }> {
  const counted = await Promise.all(
    queues.all.map(async (queue) => {
      const [done, failed] = [await queue.getMetrics('completed'), await queue.getMetrics('failed')];
      return { done: done.meta.count, failed: failed.meta.count };
    }),
  );
  const sum = (of: 'done' | 'failed'): number => counted.reduce((all, one) => all + one[of], 0);
  return { done: sum('done'), failed: sum('failed') };
}

/** Jobs that wait or run. */
export async function waitingIn(queues: JobQueues): Promise<number> {
  return Object.values(await queues.depths()).reduce((sum, one) => sum + one, 0);
}

const kept_done_max = 5000;

export type DoneJobs = ReadonlyMap<string, readonly DoneJob[]>;

/** Done between the two instants (ms since 1970), of every queue. */
export async function jobsDone(queues: JobQueues, fromMs: number, toMs: number): Promise<DoneJobs> {
  const byQueue = new Map<string, readonly DoneJob[]>();
  for (const queue of queues.all) {
    const found = await queue.getCompleted(0, kept_done_max - 1);
    const jobs = found.flatMap(({ data, processedOn = NaN, finishedOn = NaN }) => {
      const { at } = data as { at: string };
      return finishedOn >= fromMs && finishedOn < toMs
        ? [{ at, takenMs: processedOn, doneMs: finishedOn }]
        : [];
    });
    byQueue.set(queue.name, jobs);
  }
  return byQueue;
}

/** Over several stretches of time: of every queue that did something, and of all together. */
export function jobTimes(stretches: readonly DoneJobs[]): JobTimes[] {
  const names = new Set(stretches.flatMap((done) => [...done.keys()]));
  const byQueue = [...names].map((queue) => ({
    queue,
    jobs: stretches.flatMap((done) => done.get(queue) ?? []),
  }));
  const all = { queue: 'all', jobs: byQueue.flatMap(({ jobs }) => jobs) };
  return [...byQueue.filter(({ jobs }) => jobs.length > 0), all].map(({ queue, jobs }) =>
    timesOf(queue, jobs),
  );
}

export function timesOf(queue: string, jobs: readonly DoneJob[]): JobTimes {
  return {
    queue,
    done: jobs.length,
    waitedMs: spreadOf(jobs.map(({ at, takenMs }) => takenMs - Date.parse(at))),
    doneAfterMs: spreadOf(jobs.map(({ at, doneMs }) => doneMs - Date.parse(at))),
  };
}

/** Whose turn it is on a busy machine. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { z } from 'zod';
import { messageOf } from './errors.ts';

/**
 * Where a thread stands. `realtime`: it runs at once, whatever else does (SCHED_RR, sched(7)). `nice`: it
 * gets most of the time, but another may finish its slice of some ms first. `usual`: as everything else.
 */
export const precedenceSchema = z.enum(['realtime', 'nice', 'usual']);
export type Precedence = z.infer<typeof precedenceSchema>;

/** Of 1 to 99; the first one stands before everything that has none, and behind the kernel's own threads. */
const REALTIME_PRIORITY = 1;
/** Of Linux's -20 (first) to 19 (last); what is as usual runs at 0. */
const FIRST_NICENESS = -10;
const chrt_patience_ms = 5000;

/** What a thread got, and why it did not get what was asked for (null: it did). */
export const placedSchema = z.strictObject({ precedence: precedenceSchema, refusal: z.string().nullable() });
export type Placed = z.infer<typeof placedSchema>;

/**
 * Puts a thread of this machine before others: `realtime` where the kernel lets us, else `nice`, else as it
 * was. The first wants CAP_SYS_NICE or RLIMIT_RTPRIO of 1, the second CAP_SYS_NICE or RLIMIT_NICE of 30.
 * What the thread starts later begins as usual. The kernel keeps 5 % of each core for others, whatever
 * real-time threads do (sched_rt_runtime_us).
 *
 * @param thread Linux's id of it; a process's id is that of its first thread. Absent: the calling thread
 */
export function putFirst(wanted: Precedence, thread?: number): Placed {
  const refusals: string[] = [];
  for (const precedence of ['realtime', 'nice'] as const) {
    if (wanted === 'usual' || (wanted === 'nice' && precedence === 'realtime')) continue;
    try {
      place[precedence](thread ?? ownThread());
      return { precedence, refusal: refusals[0] ?? null };
    } catch (error) {
      refusals.push(reasonOf(error));
    }
  }
  return { precedence: 'usual', refusal: refusals[0] ?? null };
}

const place = {
  /** Node has no call for it; chrt(1) is of util-linux, which every Debian has. */
  realtime(thread: number): void {
    execFileSync('chrt', ['--rr', '--reset-on-fork', '--pid', `${REALTIME_PRIORITY}`, `${thread}`], {
      ...{ stdio: ['ignore', 'ignore', 'pipe'], timeout: chrt_patience_ms },
    });
  },
  /** Linux schedules threads one by one: setpriority(2) takes a thread's id, too. */
  nice(thread: number): void {
    setPriority(thread, FIRST_NICENESS);
  },
};

function ownThread(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}

function reasonOf(error: unknown): string {
  // None of a program that is not there.
  const told =
    error instanceof Error && 'stderr' in error
      ? String((error.stderr as Buffer | undefined) ?? '').trim()
      : '';
  return told || messageOf(error);
}

/**
 * Lets other processes go first when there is not enough CPU for all; nothing changes while there is. A
 * process that cannot be reached any more, or is not ours, stays as it is.
 *
 * @param niceness of Linux's scale, 0 (as everybody) to 19 (last)
 */
export function letOthersFirst(pid: number, niceness: number): void {
  if (niceness === 0) return;
  // Threads that come later begin with what their maker has; those that were quicker are told one by one.
  attempt(() => setPriority(pid, niceness));
  attempt(() => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), niceness);
  });
  // A session of its own has a share of its own, whatever its processes' niceness: it has one, too (sched(7),
  // "The autogroup feature"). The file is missing where the kernel or a control group does otherwise.
  attempt(() => writeFileSync(`/proc/${pid}/autogroup`, String(niceness)));
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // As told above.
  }
}

/** Where Linux has put threads on a busy machine, and where it would let us put them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Precedence } from '../../src/base/precedence.ts';

/** `policy` 0: SCHED_OTHER, 2: SCHED_RR. */
export interface Standing {
  readonly policy: number;
  readonly realtimePriority: number;
  readonly niceness: number;
}

export const STANDINGS: Readonly<Record<Precedence, Standing>> = {
  realtime: { policy: 2, realtimePriority: 1, niceness: 0 },
  nice: { policy: 0, realtimePriority: 0, niceness: -10 },
  usual: { policy: 0, realtimePriority: 0, niceness: 0 },
};

/** Fields 19, 40 and 41 of /proc/<pid>/stat (proc(5)), which come after a name that may hold anything. */
export function standingIn(stat: string): Standing {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [niceness = NaN, realtimePriority = NaN, policy = NaN] = [fields[16], fields[37], fields[38]];
  return { policy, realtimePriority, niceness };
}

/** Of every thread that a process has now. */
export function standingsOf(pid: number): Standing[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) =>
    standingIn(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
  );
}

export function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The nearest to it that this machine lets us have, asked of Linux's own tools. */
export function mayHave(wanted: Precedence): Precedence {
  if (wanted === 'realtime' && runs('chrt', '--rr', '1', 'true')) return 'realtime';
  // nice(1) goes on when it is refused, and says so.
  const niceness = execFileSync('nice', ['-n', '-10', 'nice'], { encoding: 'utf8', stdio: 'pipe' });
  return wanted !== 'usual' && niceness.trim() === '-10' ? 'nice' : 'usual';
}

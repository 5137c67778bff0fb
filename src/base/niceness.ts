/** Whose turn it is on a busy machine. */
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

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

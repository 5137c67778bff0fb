/** What groups of processes take of the machine over a stretch of time. */
import { machineBusyMs, usageOfAll, usageOfTree, type Usage } from './process-usage.ts';

/** Processes, or one with all that it starts. */
export type ProcessGroup = readonly number[] | { readonly tree: number };

/** Share of one core that each group of processes took, in percent, over the next `forMs`. */
export async function cpuOver<K extends string>(
  groups: Readonly<Record<K, ProcessGroup>>,
  forMs: number,
): Promise<Record<K | 'others', number>> {
  const names = Object.keys(groups) as K[];
  const read = (): Usage[] => names.map((name) => usageOfGroup(groups[name]));
  const [before, busyBefore, beganMs] = [read(), machineBusyMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const [after, busyAfter, elapsedMs] = [read(), machineBusyMs(), performance.now() - beganMs];
  let othersMs = busyAfter - busyBefore;
  const shares = names.map((name, index) => {
    const spentMs = (after[index]?.cpuMs ?? 0) - (before[index]?.cpuMs ?? 0);
    othersMs -= spentMs;
    return [name, (100 * spentMs) / elapsedMs] as const;
  });
  const others = ['others', (100 * Math.max(0, othersMs)) / elapsedMs] as const;
  return Object.fromEntries([...shares, others]) as Record<K | 'others', number>;
}

function usageOfGroup(group: ProcessGroup): Usage {
  return 'tree' in group ? usageOfTree(group.tree) : usageOfAll(group);
}

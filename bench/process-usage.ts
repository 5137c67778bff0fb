/** CPU time and memory of a process and of its children, as Linux counts them (proc(5)). */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface Usage {
  /** User and system time of all threads since the process began, in ms; a tick is 10 ms. */
  readonly cpuMs: number;
  /** Resident set, in bytes. */
  readonly rssBytes: number;
}

export interface Stat {
  readonly pid: number;
  /** Name of the program, cut to 15 characters by the kernel. */
  readonly name: string;
  readonly parentPid: number;
  readonly cpuTicks: number;
}

/** `/proc/<pid>/stat`: the name stands in parentheses and may hold anything, parentheses too. */
export function parseStat(text: string): Stat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [parentPid, userTicks, systemTicks] = [fields[1], fields[11], fields[12]].map(Number);
  const pid = Number(text.slice(0, open));
  const parts = [pid, parentPid, userTicks, systemTicks];
  if (open < 0 || close < open || !parts.every((part) => Number.isSafeInteger(part)))
    throw new Error(`not a line of /proc/<pid>/stat: ${text.slice(0, 80)}`);
  return {
    pid,
    name: text.slice(open + 1, close),
    parentPid: Number(parentPid),
    cpuTicks: Number(userTicks) + Number(systemTicks),
  };
}

/** `VmRSS` of `/proc/<pid>/status`, in bytes; 0 for a process that has none (a zombie). */
export function parseRss(status: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** @throws Error when there is no such process */
export function usageOf(pid: number): Usage {
  const { cpuTicks } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return {
    cpuMs: (cpuTicks * 1000) / ticksPerSecond,
    rssBytes: parseRss(readFileSync(`/proc/${pid}/status`, 'utf8')),
  };
}

/**
 * A process with all its children, those that are gone included: a server whose processes come and go.
 *
 * @throws Error when there is no such process
 */
export function usageOfTree(pid: number): Usage {
  const own = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const gone = own
    .slice(own.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
    .map(Number);
  const goneTicks = gone.reduce((sum, ticks) => sum + ticks, 0);
  const children = childStats(pid).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);
  const { cpuMs, rssBytes } = usageOf(pid);
  return { cpuMs: cpuMs + ((goneTicks + children) * 1000) / ticksPerSecond, rssBytes };
}

/** Time that the whole machine was at work, all cores together, in ms: `cpu` of `/proc/stat`. */
export function parseMachineBusy(stat: string): number {
  const fields = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  const [user = NaN, nice = NaN, system = NaN, _idle, _ioWait, interrupts = NaN, softInterrupts = NaN] =
    fields;
  const ticks = user + nice + system + interrupts + softInterrupts;
  if (!Number.isFinite(ticks)) throw new Error('no line "cpu" in /proc/stat');
  return (ticks * 1000) / ticksPerSecond;
}

export function machineBusyMs(): number {
  return parseMachineBusy(readFileSync('/proc/stat', 'utf8'));
}

/** Children of a process whose name begins with `name`. */
export function childrenOf(pid: number, name: string): number[] {
  return childStats(pid)
    .filter((stat) => stat.name.startsWith(name))
    .map((stat) => stat.pid);
}

/** Children of a process in whose command line `word` stands. */
export function childrenRunning(pid: number, word: string): number[] {
  return childStats(pid)
    .map((stat) => stat.pid)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(word));
}

function childStats(pid: number): Stat[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        return [parseStat(readFileSync(`/proc/${entry}/stat`, 'utf8'))];
      } catch {
        // It ended between the listing and the reading.
        return [];
      }
    })
    .filter((stat) => stat.parentPid === pid);
}

/** The sum over several processes. */
export function usageOfAll(pids: readonly number[]): Usage {
  const usages = pids.map(usageOf);
  return {
    cpuMs: usages.reduce((sum, one) => sum + one.cpuMs, 0),
    rssBytes: usages.reduce((sum, one) => sum + one.rssBytes, 0),
  };
}

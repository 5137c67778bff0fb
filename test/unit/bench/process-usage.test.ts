import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  childrenOf,
  childrenRunning,
  machineBusyMs,
  parseMachineBusy,
  parseRss,
  parseStat,
  usageOf,
  usageOfAll,
  usageOfTree,
} from '../../../bench/process-usage.ts';
import { until } from '../../support/until.ts';

const stat = (name: string): string =>
  `4711 (${name}) S 815 4711 4711 0 -1 4194304 9000 0 12 0 250 50 3 4 20 0 11 0 98765 1000000 2000`;

describe('/proc/<pid>/stat', () => {
  it('tells parent and time', () => {
    expect(parseStat(stat('node'))).toEqual({ pid: 4711, name: 'node', parentPid: 815, cpuTicks: 300 });
  });

  it.each(['mediasoup-worke', 'a b', ')', '((', 'x) S 1 (y'])('survives the name %j', (name) => {
    expect(parseStat(stat(name))).toEqual({ pid: 4711, name, parentPid: 815, cpuTicks: 300 });
  });

  it.each(['', 'nonsense', '4711 (node', '4711 (node) S x 1', ') 4711 ('])('is not %j', (text) => {
    expect(() => parseStat(text)).toThrow('not a line of /proc/<pid>/stat');
  });
});

describe('/proc/<pid>/status', () => {
  it('tells the resident set in bytes', () => {
    expect(parseRss('Name:\tnode\nVmHWM:\t  9999 kB\nVmRSS:\t   1234 kB\nThreads:\t11\n')).toBe(1234 * 1024);
  });

  it('of a zombie has none', () => {
    expect(parseRss('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0);
  });
});

describe('/proc/stat', () => {
  it('tells how long the machine was at work: neither idle nor waiting for disks, nor stolen', () => {
    const text = 'cpu  100 20 30 99999 88888 4 6 77777 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    const perTick = parseMachineBusy('cpu  1 0 0 0 0 0 0 0 0 0\n');
    expect(parseMachineBusy(text)).toBe(160 * perTick);
  });

  it('without its first line is refused', () => {
    expect(() => parseMachineBusy('cpu0 1 1 1 1 1 1 1 1 0 0\n')).toThrow('no line "cpu"');
  });

  it('goes on', () => {
    const before = machineBusyMs();
    burn(50);
    expect(machineBusyMs()).toBeGreaterThan(before);
  });
});

/** Keeps a core busy: CPU time passes, however little of the core we get. */
function burn(cpuMs: number): void {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < cpuMs * 1000) Math.sqrt(2);
}

describe('the usage of a process', () => {
  it('grows by the time that it works', () => {
    const before = usageOf(process.pid);
    burn(120);
    const after = usageOf(process.pid);
    // The kernel counts in ticks of 10 ms.
    expect(after.cpuMs - before.cpuMs).toBeGreaterThanOrEqual(100);
    expect(after.rssBytes).toBeGreaterThan(10 * 2 ** 20);
  });

  it('of several is their sum, and of none nothing', () => {
    const one = usageOf(process.pid);
    const two = usageOfAll([process.pid, process.pid]);
    expect(two.cpuMs).toBeGreaterThanOrEqual(2 * one.cpuMs);
    expect(usageOfAll([])).toEqual({ cpuMs: 0, rssBytes: 0 });
  });

  it('with its children holds those that work, and those that are gone', async () => {
    const burn = 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done';
    const script = `sh -c '${burn}'; echo gone; sh -c 'while :; do :; done' & read line; kill $!`;
    const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const ofGone = usageOfTree(pid).cpuMs;
    expect(ofGone).toBeGreaterThan(usageOf(pid).cpuMs);
    await until('its other child worked', () => usageOfTree(pid).cpuMs >= ofGone + 50);
    child.stdin.end('\n');
    await once(child, 'exit');
  });

  it('that is gone is an error', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(() => usageOf(child.pid ?? 0)).toThrow('ENOENT');
  });
});

describe('the children of a process', () => {
  it('are found by the beginning of their name', async () => {
    const child = spawn('sleep', ['30']);
    await once(child, 'spawn');
    expect(childrenOf(process.pid, 'sle')).toContain(child.pid);
    expect(childrenOf(process.pid, 'mediasoup')).not.toContain(child.pid);
    expect(childrenOf(1, 'sleep')).not.toContain(child.pid);
    expect(childrenRunning(process.pid, 'sleep\u000030')).toEqual([child.pid]);
    expect(childrenRunning(process.pid, 'sleep\u000031')).toEqual([]);
    child.kill();
    await once(child, 'exit');
  });
});

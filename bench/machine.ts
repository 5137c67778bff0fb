/** The machine on which something was measured; without this a figure says nothing. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';

export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly mediasoup: string;
  /** What else was running, at the start: processes waiting for a core, over the last minute. */
  readonly loadBefore: number;
}

export function describeMachine(now = new Date()): Machine {
  return {
    date: now.toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    commit:
      git(['rev-parse', '--short', 'HEAD']) +
      (git(['status', '--porcelain', 'src']) === '' ? '' : ' (changed)'),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    mediasoup: versionOf('mediasoup'),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function git(args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  } catch {
    return 'unknown';
  }
}

function versionOf(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}

/** The load average of the last minute: what else the machine had to do meanwhile. */
export function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}

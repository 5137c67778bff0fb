import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { letOthersFirst } from '../../../src/base/niceness.ts';

const nicenessOf = (pid: number): Set<number> =>
  new Set(readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread))));

describe('letting others go first', () => {
  it('reaches every thread that a process has by now', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()']);
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    letOthersFirst(pid, 4);
    expect(nicenessOf(pid)).toEqual(new Set([4]));
    // No way back without the right to it, and none is needed: 0 leaves all as it is.
    letOthersFirst(pid, 0);
    expect(nicenessOf(pid)).toEqual(new Set([4]));
    child.stdin.end();
    await once(child, 'exit');
  });

  it('is nothing to a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(() => letOthersFirst(child.pid ?? 0, 4)).not.toThrow();
  });
});

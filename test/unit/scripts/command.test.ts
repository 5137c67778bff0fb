import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand, SetupError } from '../../../scripts/setup/command.mjs';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('runCommand', () => {
  it('answers with the exit code and what was printed on either stream', async () => {
    const result = await runCommand('sh', ['-c', 'echo one; echo two >&2; exit 7']);
    expect(result.code).toBe(7);
    expect(result.tail.split('\n').sort()).toEqual(['one', 'two']);
  });

  it('has code 127 when there is no such program', async () => {
    const result = await runCommand('trunkline-no-such-program', []);
    expect(result.code).toBe(127);
    expect(result.tail).toContain('ENOENT');
  });

  it('ends a program that takes longer than it may', async () => {
    const startedMs = performance.now();
    const result = await runCommand('sleep', ['30'], { timeoutMs: 50 });
    expect(result.code).toBe(128);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('hands on every line but keeps only the last', async () => {
    const lines: string[] = [];
    const result = await runCommand('seq', ['1', '100'], { onLine: (line) => lines.push(line) });
    expect(lines).toHaveLength(100);
    expect(result.tail.split('\n')).toEqual(lines.slice(-15));
  });

  it('writes the command and its output to the log, which grows', async () => {
    const logFile = join(temporaryFolder(), 'log', 'all.log');
    await runCommand('echo', ['first'], { logFile });
    await runCommand('echo', ['second'], { logFile });
    expect(readFileSync(logFile, 'utf8')).toBe('$ echo first\nfirst\n$ echo second\nsecond\n');
  });

  it('gives the program the environment and folder that it is told, and nothing to read', async () => {
    const cwd = temporaryFolder();
    const env = { PATH: process.env['PATH'], GREETING: 'hello' };
    const result = await runCommand('sh', ['-c', 'echo $GREETING; pwd; cat; echo end'], { cwd, env });
    expect(result.tail.split('\n')).toEqual(['hello', cwd, 'end']);
  });
});

describe('SetupError', () => {
  it('carries the exit code of the set-up', () => {
    const error = new SetupError(3, 'install these');
    expect(error.exitCode).toBe(3);
    expect(error.message).toBe('install these');
    expect(error).toBeInstanceOf(Error);
  });
});

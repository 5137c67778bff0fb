import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outdatedPackages } from '../../../scripts/setup/npm-packages.mjs';
import { createProgress, packagesFor, runSetup, stepsFor } from '../../../scripts/setup/steps.mjs';
import { SYSTEM_PACKAGES } from '../../../scripts/setup/system-packages.mjs';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ROOT } from '../../tidy/files.ts';

/** The longest that a set-up with nothing to do may take. */
const IDLE_MS_MAX = 3000;

function runScript(...args: string[]): { code: number | null; output: string; tookMs: number } {
  const startedMs = performance.now();
  const script = join(ROOT, 'scripts', 'setup.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { code: status, output: stderr, tookMs: performance.now() - startedMs };
}

describe('scripts/setup.mjs', () => {
  it('is quick and tells each step in a line where all is in place', () => {
    // Otherwise the script would replace the packages that this test runs on.
    expect(outdatedPackages(ROOT)).toEqual([]);
    const { code, output, tookMs } = runScript('test');
    expect(code).toBe(0);
    expect(output.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^setup: system packages: \d+ in place \(\d+\.\d s\)$/),
      expect.stringMatching(/^setup: npm packages: up to date \(\d+\.\d s\)$/),
      expect.stringMatching(/^setup: mediasoup worker: .+ \(\d+\.\d s\)$/),
      expect.stringMatching(/^setup: widget: .+ \(\d+\.\d s\)$/),
      expect.stringMatching(/^setup: console: .+ \(\d+\.\d s\)$/),
    ]);
    expect(tookMs).toBeLessThan(IDLE_MS_MAX);
  });

  it.each([[[]], [['everything']], [['run', 'everything']]])('refuses the purposes %j', (args) => {
    const { code, output } = runScript(...args);
    expect(code).toBe(2);
    expect(output).toBe('setup: Usage: node scripts/setup.mjs run|call|test\n');
  });

  it('is what npm runs before start, call and test', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(manifest.scripts).toMatchObject({
      prestart: 'node scripts/setup.mjs run',
      precall: 'node scripts/setup.mjs call',
      pretest: 'node scripts/setup.mjs test',
    });
  });
});

describe('packagesFor', () => {
  it('gives the gateway only what it runs on', () => {
    expect(packagesFor(['run'])).toEqual(SYSTEM_PACKAGES.run);
  });

  it('gives the tests everything, each package once', () => {
    const packages = packagesFor(['run', 'call', 'test']);
    expect(packages).toEqual([...SYSTEM_PACKAGES.run, ...SYSTEM_PACKAGES.call, ...SYSTEM_PACKAGES.test]);
  });
});

describe('runSetup', () => {
  it('stops at the first step that fails', async () => {
    const lines: string[] = [];
    const emptyFolder = temporaryFolder();
    const context = {
      root: emptyFolder,
      cacheFolder: emptyFolder,
      env: { TRUNKLINE_SKIP_SYSTEM_PACKAGES: '1' },
      progress: () => undefined,
    };
    await expect(runSetup(['run'], context, (line) => lines.push(line))).rejects.toThrow();
    expect(lines).toEqual([expect.stringContaining('system packages: not checked')]);
  });

  it('has npm packages before the worker and the widget, which are made of them', () => {
    const names = stepsFor(['run']).map((step) => step.name);
    expect(names).toEqual(['system packages', 'npm packages', 'mediasoup worker', 'widget', 'console']);
  });
});

describe('createProgress', () => {
  function told(isTTY: boolean, percents: number[]): string[] {
    const written: string[] = [];
    const progress = createProgress({ isTTY, write: (text) => written.push(text) });
    for (const percent of percents) progress('building', percent);
    return written;
  }

  it('tells a text at once', () => {
    const written: string[] = [];
    createProgress({ write: (text) => written.push(text) })('reading the package lists');
    expect(written).toEqual(['setup: reading the package lists\n']);
  });

  it('tells every tenth in a log', () => {
    const everyPercent = Array.from({ length: 101 }, (_, percent) => percent);
    const tenths = Array.from({ length: 10 }, (_, tenth) => `setup: building ${10 * (tenth + 1)} %\n`);
    expect(told(false, everyPercent)).toEqual(tenths);
  });

  it('tells the end once, however often it comes', () => {
    expect(told(false, [95, 100, 100])).toEqual(['setup: building 95 %\n', 'setup: building 100 %\n']);
  });

  it('rewrites one line on a terminal and ends it at the end', () => {
    expect(told(true, [1, 2, 100])).toEqual([
      '\r\x1b[Ksetup: building 1 %',
      '\r\x1b[Ksetup: building 2 %',
      '\r\x1b[Ksetup: building 100 %\n',
    ]);
  });
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countLine, countTests, type CountedModule } from '../../support/count-reporter.ts';
import { temporaryFolder, writeText } from '../../support/temporary-folder.ts';
import { ROOT } from '../../tidy/files.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

/** As much of a test file as is counted. */
function moduleOf(states: State[], errors = 0): CountedModule {
  const tests = states.map((state) => ({ result: () => ({ state }) }));
  return {
    children: { allTests: () => tests.values() },
    errors: () => Array.from({ length: errors }, () => ({ message: 'broken' })),
  } as unknown as CountedModule;
}

describe('countTests', () => {
  it('counts over all files', () => {
    const modules = [moduleOf(['passed', 'failed']), moduleOf(['passed', 'skipped'])];
    expect(countTests(modules, 0)).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });

  it('takes for failed what did not end, could not be loaded, or happened outside of any test', () => {
    expect(countTests([moduleOf(['passed', 'pending']), moduleOf([], 1)], 2)).toEqual({
      passed: 1,
      failed: 4,
      skipped: 0,
    });
  });
});

describe('countLine', () => {
  it('has the form that machines read', () => {
    expect(countLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(countLine({ passed: 12, failed: 3, skipped: 1 })).toBe('12 passed, 3 failed, 1 skipped');
  });
});

describe('a run of vitest', () => {
  /** Runs one test file with the reporter, in a folder of its own. */
  function runVitest(testFile: string): { code: number | null; lastLine: string | undefined } {
    const root = temporaryFolder();
    writeText(join(root, 'sample.test.ts'), testFile);
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const reporter = join(ROOT, 'test', 'support', 'count-reporter.ts');
    const args = [
      vitest,
      'run',
      '--globals',
      '--root',
      root,
      '--reporter',
      'default',
      '--reporter',
      reporter,
    ];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    return { code: status, lastLine: stdout.trimEnd().split('\n').at(-1) };
  }

  it('closes with the count, and keeps its exit code', () => {
    expect(runVitest(`it('a', () => {}); it('b', () => {});`)).toEqual({
      code: 0,
      lastLine: '2 passed, 0 failed',
    });
  });

  it('closes with the count when tests fail', () => {
    const failing = `it('a', () => {}); it('b', () => { throw new Error('no'); });`;
    expect(runVitest(failing)).toEqual({ code: 1, lastLine: '1 passed, 1 failed' });
  });

  it('counts a file that cannot be loaded', () => {
    expect(runVitest(`throw new Error('broken');`)).toEqual({ code: 1, lastLine: '0 passed, 1 failed' });
  });
});

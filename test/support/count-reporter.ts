import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface TestCount {
  passed: number;
  failed: number;
  skipped: number;
}

/** What the count needs to know of a test file. */
export type CountedModule = Pick<TestModule, 'children' | 'errors'>;

/** Counts tests; a file that could not be loaded and an error outside of any test are failures too. */
export function countTests(modules: readonly CountedModule[], errorsOutside: number): TestCount {
  const count: TestCount = { passed: 0, failed: errorsOutside, skipped: 0 };
  for (const module of modules) {
    count.failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') count.passed += 1;
      else if (state === 'skipped') count.skipped += 1;
      else count.failed += 1;
    }
  }
  return count;
}

/** `N passed, N failed`, and the skipped when there are any. */
export function countLine({ passed, failed, skipped }: TestCount): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Prints the count alone on the last line of the output: at the exit, after every other reporter. */
export default class CountReporter implements Reporter {
  #count: TestCount | undefined;

  onInit(): void {
    process.once('exit', (code) => {
      // A run that ended before its tests did, or failed without a failed test, must not look good.
      const count = this.#count ?? { passed: 0, failed: 1, skipped: 0 };
      if (code !== 0 && count.failed === 0) count.failed = 1;
      writeSync(process.stdout.fd, `${countLine(count)}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.#count = countTests(modules, errors.length);
  }
}

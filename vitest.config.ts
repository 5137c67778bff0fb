import { defineConfig } from 'vitest/config';

/** Whole calls in real time: beside each other they would measure each other. */
const CALLS = ['test/e2e/**/*.test.ts', 'test/sip/scenarios.test.ts'];

const common = {
  pool: 'forks' as const,
  testTimeout: 20_000,
  hookTimeout: 60_000,
  teardownTimeout: 20_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'parts',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: CALLS,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'calls',
          include: CALLS,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          // Speech through a recogniser, in real time: a call that fails is made once more, and told so.
          retry: 1,
        },
      },
    ],
  },
});

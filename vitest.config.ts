import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    // Two cores: sound tests that run beside each other would measure each other.
    maxWorkers: 2,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});

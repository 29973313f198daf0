import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: a crash of the addon then names the file, and every file has a heap of its own.
    pool: 'forks',
    // One less than there are processors would be one of two.
    maxWorkers: 2,
    execArgv: ['--expose-gc'],
    setupFiles: process.env.WEAKLY_COVERAGE ? ['test/support/counters.ts'] : [],
    testTimeout: 60_000,
    coverage: { provider: 'v8', include: ['lib/**/*.ts'], reporter: ['text', 'json'] },
  },
});

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Two projects, one after the other: unit tests (and contract suites on real engines) side by side on all cores, then the
 * end-to-end files one at a time, as each starts servers, encoders and a browser, and measures what they do.
 */
const globalSetup = existsSync('tools/test/global-setup.ts') ? ['tools/test/global-setup.ts'] : [];
const setupFiles = ['tools/test/property-seed.ts'];
const limits = { testTimeout: 20_000, hookTimeout: 60_000, globalSetup, setupFiles };
const endToEnd = ['apps/*/test/**/*.test.ts'];
const ignored = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    reporters: ['default', './tools/setup/test-reporter.mjs'],
    projects: [
      {
        test: {
          ...limits,
          name: 'unit',
          include: ['apps/*/src/**/*.test.{ts,tsx}', 'libs/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: [...ignored, ...endToEnd],
          maxWorkers: Math.max(2, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...limits,
          name: 'e2e',
          include: endToEnd,
          exclude: ignored,
          testTimeout: 60_000,
          // A busy machine is slow to start servers.
          hookTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

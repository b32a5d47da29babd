import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/test/longest-first.ts';

/**
 * Three projects, one after the other: unit tests (and contract suites on real engines) and end-to-end files, each one more at a time
 * than there are cores, as they wait as much as they work; and those that measure, alone.
 */
const globalSetup = existsSync('tools/test/global-setup.ts') ? ['tools/test/global-setup.ts'] : [];
const setupFiles = ['tools/test/property-seed.ts'];
const limits = { testTimeout: 20_000, hookTimeout: 60_000, globalSetup, setupFiles };
const endToEnd = ['apps/*/test/**/*.test.ts'];
/** They measure: latencies, counts within a second, what a crash costs. Nothing else runs beside them. */
const measuring = ['apps/e2e/test/{play,edge,cluster,players-cmcd,publishing}.test.ts'];
const endToEndLimits = {
  ...limits,
  testTimeout: 60_000,
  // A busy machine is slow to start servers.
  hookTimeout: 120_000,
};
const atOnce = Math.max(2, availableParallelism()) + 1;
const ignored = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './tools/setup/test-reporter.mjs'],
    projects: [
      {
        test: {
          ...limits,
          name: 'unit',
          include: ['apps/*/src/**/*.test.{ts,tsx}', 'libs/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: [...ignored, ...endToEnd],
          maxWorkers: atOnce,
          // Files share what they import: loading it for each took a fifth of the time. None leaves anything behind.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...endToEndLimits,
          name: 'e2e',
          include: endToEnd,
          exclude: [...ignored, ...measuring],
          maxWorkers: atOnce,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...endToEndLimits,
          name: 'e2e-alone',
          include: measuring,
          exclude: ignored,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

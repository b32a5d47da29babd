import { expect, test } from 'vitest';
import { summarise } from './test-summary.mjs';

const clean = { passed: 3, failed: [], skipped: [], broken: [] };
const given = { exitCode: 0, allowed: [], strict: true };

test('the last line counts what passed and what failed', () => {
  const failed = { ...clean, failed: ['a.test.ts > one'] };
  expect(summarise({ ...given, result: clean }).lines.at(-1)).toBe('3 passed, 0 failed');
  expect(summarise({ ...given, exitCode: 1, result: failed })).toMatchObject({ exitCode: 1 });
  expect(summarise({ ...given, exitCode: 1, result: failed }).lines.at(-1)).toBe('3 passed, 1 failed');
});

test('a runner that dies without a report is a failure', () => {
  for (const exitCode of [0, 137]) {
    const summary = summarise({ ...given, exitCode, result: undefined });
    expect(summary.exitCode).not.toBe(0);
    expect(summary.lines.at(-1)).toBe('0 passed, 1 failed');
  }
});

test('a bad exit code without a failed test is a failure, and so is a file that did not load', () => {
  expect(summarise({ ...given, exitCode: 1, result: clean }).lines.at(-1)).toBe('3 passed, 1 failed');
  const broken = summarise({ ...given, exitCode: 1, result: { ...clean, broken: ['b.test.ts: no such module'] } });
  expect(broken.lines).toContain('broken: b.test.ts: no such module');
  expect(broken.lines.at(-1)).toBe('3 passed, 1 failed');
});

test('in CI a skipped test fails unless it is on the list, whose reasons are printed', () => {
  const skipped = { ...clean, skipped: ['c.test.ts > needs a database'] };
  expect(summarise({ ...given, result: skipped }).exitCode).toBe(1);
  expect(summarise({ ...given, strict: false, result: skipped }).exitCode).toBe(0);
  const allowed = [{ test: 'c.test.ts > needs a database', reason: 'only on FreeBSD' }];
  const summary = summarise({ ...given, result: skipped, allowed });
  expect(summary.exitCode).toBe(0);
  expect(summary.lines).toContain('skipped: c.test.ts > needs a database (only on FreeBSD)');
});

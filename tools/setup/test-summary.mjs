/** The last word of a test run: what failed, what was skipped, and the line `N passed, N failed`. */

/**
 * What the reporter counted (tools/setup/test-reporter.mjs). `broken` are files that did not load and errors outside of tests.
 * @typedef {{ passed: number, failed: readonly string[], skipped: readonly string[], broken: readonly string[] }} TestResult
 */

/** A test that may be skipped in CI. @typedef {{ test: string, reason: string }} AllowedSkip */

/**
 * @param {object} run
 * @param {number} run.exitCode vitest's own
 * @param {TestResult | undefined} run.result undefined when vitest died before it could report
 * @param {readonly AllowedSkip[]} run.allowed
 * @param {boolean} run.strict whether a skipped test that is not allowed is a failure
 * @returns {{ lines: string[], exitCode: number }} the last of `lines` is `N passed, N failed`
 */
export function summarise({ exitCode, result, allowed, strict }) {
  if (!result) {
    return {
      lines: ['', `the test runner ended early, with exit code ${exitCode}`, '0 passed, 1 failed'],
      exitCode: exitCode || 1,
    };
  }
  const reasons = new Map(allowed.map((skip) => [skip.test, skip.reason]));
  const forbidden = strict ? result.skipped.filter((test) => !reasons.has(test)) : [];
  const failures = [
    ...result.failed.map((test) => `failed: ${test}`),
    ...result.broken.map((what) => `broken: ${what}`),
    ...forbidden.map((test) => `skipped, which CI does not allow: ${test}`),
  ];
  // An exit code without a named failure (a hanging process, a failed global set-up) still has to count as one.
  if (failures.length === 0 && exitCode !== 0)
    failures.push(`failed: the test runner ended with exit code ${exitCode}`);
  const lines = [''];
  for (const test of result.skipped) if (reasons.has(test)) lines.push(`skipped: ${test} (${reasons.get(test)})`);
  if (!strict && result.skipped.length > 0) lines.push(`${result.skipped.length} skipped`);
  lines.push(...failures, `${result.passed} passed, ${failures.length} failed`);
  return { lines, exitCode: failures.length > 0 ? exitCode || 1 : 0 };
}

/** A vitest reporter that counts the tests for `test-summary.mjs` and writes the counts to the file $MILLRACE_TEST_RESULT. */
import { writeFileSync } from 'node:fs';

export default class TestCounter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly import('vitest/node').SerializedError[]} errors outside of any test
   */
  onTestRunEnd(modules, errors) {
    const file = process.env['MILLRACE_TEST_RESULT'];
    if (!file) return;
    /** @type {import('./test-summary.mjs').TestResult & { failed: string[], skipped: string[], broken: string[] }} */
    const result = { passed: 0, failed: [], skipped: [], broken: [] };
    for (const module of modules) {
      const before = result.failed.length;
      for (const test of module.children.allTests()) {
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        const { state } = test.result();
        if (state === 'passed') result.passed++;
        else if (state === 'failed') result.failed.push(name);
        else result.skipped.push(name);
      }
      const problem = module.errors()[0] ?? suiteErrors(module)[0];
      if (module.state() === 'failed' && result.failed.length === before) {
        result.broken.push(`${module.relativeModuleId}: ${firstLine(problem?.message)}`);
      }
    }
    for (const error of errors) result.broken.push(firstLine(error.message));
    writeFileSync(file, JSON.stringify(result));
  }
}

/** @param {import('vitest/node').TestModule} module */
function suiteErrors(module) {
  return [...module.children.allSuites()].flatMap((suite) => suite.errors());
}

/** @param {string | undefined} text */
function firstLine(text) {
  return (text ?? 'it did not load').split('\n')[0] ?? '';
}

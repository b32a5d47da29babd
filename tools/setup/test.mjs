/**
 * `npm test`: sets the machine up, runs every test with vitest and ends with the line `N passed, N failed`. Arguments are
 * vitest's: `npm test -- libs/flv`; among them may be `--target=cluster`, what the end-to-end tests run against
 * (MILLRACE_E2E_TARGET). The exit code is 0 only when every test ran and passed.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensureKafka } from './kafka.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { ensurePrograms } from './programs.mjs';
import { ensurePythonTools } from './python.mjs';
import { entry } from './report.mjs';
import { ensureS3 } from './s3.mjs';
import { ensureStudio } from './studio.mjs';
import { summarise } from './test-summary.mjs';
import { cacheDir, inRepository } from './workspace.mjs';

await entry(async () => {
  checkNodeVersion();
  await ensureDependencies();
  await ensurePrograms(['ffmpeg', 'ffprobe', 'chromium', 'kcat', 'nginx', 'prometheus', 'promtool']);
  await ensurePrograms(['pocketsphinx-en-us', 'espeak-ng']);
  await ensureKafka();
  await ensureS3();
  await ensurePythonTools();
  await ensureStudio();
  const given = process.argv.slice(2);
  const target = given.find((arg) => arg.startsWith('--target='))?.slice('--target='.length);
  const args = given.filter((arg) => !arg.startsWith('--target='));
  const resultFile = join(cacheDir, `test-result-${process.pid}.json`);
  mkdirSync(cacheDir, { recursive: true });
  rmSync(resultFile, { force: true });
  const vitest = inRepository('node_modules', 'vitest', 'vitest.mjs');
  const env = { MILLRACE_TEST_RESULT: resultFile, ...(target === undefined ? {} : { MILLRACE_E2E_TARGET: target }) };
  const exitCode = await run(process.execPath, [vitest, 'run', ...args], { env });
  const allowed = JSON.parse(readFileSync(inRepository('tools', 'setup', 'allowed-skips.json'), 'utf8'));
  const summary = summarise({
    exitCode,
    result: readResult(resultFile),
    allowed,
    // A name filter skips what it does not name; that is no missing engine.
    strict: Boolean(process.env['CI']) && !args.some((arg) => /^(-t|--testNamePattern)/.test(arg)),
  });
  rmSync(resultFile, { force: true });
  for (const line of summary.lines) process.stdout.write(`${line}\n`);
  process.exit(summary.exitCode);
});

/** @param {string} file */
function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Runs one of the repository's TypeScript tools, after the set-up: `node tools/setup/tool.mjs tools/check/main.ts [arguments]`.
 * Before the arguments stands what the tool needs besides: `--with-programs` (encoder, browser, studio), `--with-kafka`,
 * `--with-cluster` (all that the processes of a cluster are made of).
 */
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';
import { ensureKafka } from './kafka.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { ensurePrograms } from './programs.mjs';
import { entry } from './report.mjs';
import { ensureStudio } from './studio.mjs';
import { inRepository } from './workspace.mjs';

await entry(async () => {
  checkNodeVersion();
  await ensureDependencies();
  const [tool = '', ...rest] = process.argv.slice(2);
  for (; rest[0]?.startsWith('--with-'); rest.shift()) {
    if (rest[0] === '--with-programs') {
      await ensurePrograms(['ffmpeg', 'ffprobe', 'chromium']);
      await ensureStudio();
    } else if (rest[0] === '--with-kafka') {
      await ensureKafka();
    } else if (rest[0] === '--with-cluster') {
      await ensurePrograms(['ffmpeg', 'ffprobe', 'nginx', 'pocketsphinx-en-us']);
      await ensureKafka();
      await ensureStudio();
    } else throw new Error(`expected --with-programs, --with-kafka or --with-cluster, got ${rest[0]}`);
  }
  const file = inRepository(tool);
  process.argv = [process.execPath, file, ...rest];
  const { register } = await import('tsx/esm/api');
  register();
  await import(pathToFileURL(file).href);
});

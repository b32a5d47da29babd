/**
 * Runs one of the repository's TypeScript tools, after the set-up: `node tools/setup/tool.mjs tools/check/main.ts [arguments]`.
 */
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { ensurePrograms } from './programs.mjs';
import { entry } from './report.mjs';
import { ensureStudio } from './studio.mjs';
import { inRepository } from './workspace.mjs';

await entry(async () => {
  checkNodeVersion();
  await ensureDependencies();
  const [tool = '', ...rest] = process.argv.slice(2);
  if (rest[0] === '--with-programs') {
    rest.shift();
    await ensurePrograms(['ffmpeg', 'ffprobe', 'chromium']);
    await ensureStudio();
  }
  const file = inRepository(tool);
  process.argv = [process.execPath, file, ...rest];
  const { register } = await import('tsx/esm/api');
  register();
  await import(pathToFileURL(file).href);
});

/** The studio's web files, built by vite into apps/studio/dist when its sources changed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { SetupStop, say } from './report.mjs';
import { stampHolds, writeStamp } from './stamp.mjs';
import { cacheDir, inRepository } from './workspace.mjs';

const sources = ['apps/studio', 'libs/live-edge/src', 'libs/hub-client/src', 'libs/api/src', 'package-lock.json'];

/** Builds the studio unless it is built. */
export async function ensureStudio() {
  const stamp = join(cacheDir, 'studio.stamp.json');
  if (!existsSync(inRepository('apps', 'studio', 'index.html'))) return;
  if (existsSync(inRepository('apps', 'studio', 'dist', 'index.html')) && stampHolds(stamp)) return;
  say('building the studio');
  const vite = ['apps/studio/node_modules/vite/bin/vite.js', 'node_modules/vite/bin/vite.js']
    .map((path) => inRepository(path))
    .find((path) => existsSync(path));
  if (!vite) throw new SetupStop(['vite is not installed; run npm ci'], 1);
  const args = [vite, 'build', '--logLevel', 'warn'];
  const code = await run(process.execPath, args, { quiet: true, cwd: inRepository('apps', 'studio') });
  if (code !== 0) throw new SetupStop([`the studio did not build: vite ended with exit code ${code}`], 1);
  writeStamp(stamp, { folders: sources });
}

/**
 * `npm run dev`: runs standalone and starts it again when a source changes; a bundle that does not build leaves the running
 * server alone. The studio is rebuilt by vite on change, so reloading the page is enough.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { ensureRunBundle } from '../setup/bundle.mjs';
import { inRepository, rootDir } from '../setup/workspace.mjs';
import { Restarter } from './restarter.ts';

const say = (line: string) => process.stderr.write(`[dev] ${line}\n`);

const restarter = new Restarter({
  build: () => ensureRunBundle('standalone'),
  start: (bundle) => spawn(process.execPath, ['--enable-source-maps', bundle], { cwd: rootDir, stdio: 'inherit' }),
  say,
  quietMs: 200,
  stopDeadlineMs: 15_000,
});

const watchers = ['apps', 'libs'].map((folder) =>
  watch(inRepository(folder), { recursive: true }, (_event, name) => {
    if (!name || !/\.(ts|sql)$/.test(name) || /node_modules|\/dist\/|\.test\.ts$|^studio\//.test(name)) return;
    restarter.changed(name);
  }),
);

const studio = startStudio();
const stop = (signal: NodeJS.Signals) => {
  for (const watcher of watchers) watcher.close();
  // Ctrl-C reaches the children through the terminal as well; a second SIGINT within half a second is taken as an echo.
  studio?.kill(signal);
  void restarter.stop(signal).then((code) => process.exit(code));
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
// npm sends Ctrl-C once more; without a listener the second one would end this process before the server has drained.
process.on('SIGINT', () => {});
await restarter.run();

function startStudio(): ChildProcess | undefined {
  const vite = [
    inRepository('apps/studio/node_modules/vite/bin/vite.js'),
    inRepository('node_modules/vite/bin/vite.js'),
  ];
  const found = vite.find((path) => existsSync(path));
  if (!found || !existsSync(inRepository('apps/studio/index.html'))) return undefined;
  const args = [found, 'build', '--watch', '--logLevel', 'warn'];
  return spawn(process.execPath, args, { cwd: inRepository('apps/studio'), stdio: ['ignore', 'inherit', 'inherit'] });
}

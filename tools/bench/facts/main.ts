/**
 * `npm run bench:facts [-- --quick]`: facts from the log until they can be asked for, the hub's fan-out beside a plain loop over
 * the same sockets, viewers that join, reports of players over HTTP. Each part is a process of its own, one after the other, so that none measures another's garbage.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const parts = ['warehouse.ts', 'hub-fanout-main.ts', 'log-throughput.ts', 'joins-main.ts', 'intake-main.ts'];
for (const part of parts) {
  const script = new URL(part, import.meta.url).pathname;
  if (!existsSync(script)) continue;
  process.stdout.write(`\n${part.replace('.ts', '')}\n`);
  const arguments_ = process.argv.slice(2).filter((one) => part !== 'log-throughput.ts' || /^\d+$/.test(one));
  const done = spawnSync(process.execPath, ['--import', 'tsx', script, ...arguments_], { stdio: 'inherit' });
  if (done.status !== 0) process.exitCode = 1;
}

/**
 * Ends this process when its parent is gone, whatever the engine is doing. `process.exit` would not: Node first waits for its
 * threads, that is for every running query, and one that writes a result for nobody never ends. Nor is the IPC channel enough: it
 * is read by the event loop, which the engine blocks while it opens its files. So a thread of its own looks as well, and the end is
 * SIGKILL, which the engine's files bear (see `deduplication-log.ts`).
 */
import { Worker } from 'node:worker_threads';

/** Between two looks of the thread, ms. */
const lookEveryMs = 250;

/** Plain JavaScript, so that it needs neither loader nor a bundle of its own. */
const watchSource = `
const { workerData } = require('node:worker_threads');
setInterval(() => {
  if (process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL');
}, workerData.lookEveryMs);
`;

/** Watches for as long as the process lives. `parent`: its id, as the parent itself said it. */
export function endWithParent(parent: number): void {
  const end = () => void process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', end);
  // Ctrl-C and a service manager's SIGTERM reach the whole group; a parent that lives decides when the engine stops.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {
    if (process.ppid !== parent) end();
  });
  // Without the loader's arguments, which are this process's own. What the thread throws ends the process, as it should.
  const watch = new Worker(watchSource, { eval: true, execArgv: [], env: {}, workerData: { parent, lookEveryMs } });
  watch.unref();
}

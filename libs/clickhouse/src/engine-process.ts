/**
 * The process of the embedded engine: started by `openEmbeddedClickHouse`, told over its IPC channel what to open, and gone
 * with its parent, however that died. Arguments: the parent's id, and the data folder, for whoever looks at the process list.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { lockFolder } from '@millrace/lifecycle';
import { repairDeduplicationLogs } from './engine/deduplication-log.ts';
import { createHttpFront } from './engine/http-front.ts';
import { openNativeEngine } from './engine/native-engine.ts';
import { endWithParent } from './engine/parent-watch.ts';
import { QueryRunner } from './engine/query-runner.ts';
import type { EngineOrder, EngineReport } from './engine-child.ts';
import { engineLockFile } from './stale-engine.ts';

const say = (report: EngineReport) => void process.send?.(report, () => {}); // a parent that is gone hears nothing

endWithParent(Number(process.argv[2]));
process.on('message', (order: EngineOrder) => {
  if (order.kind === 'stop') process.exit(0);
  start(order).catch((error: unknown) => {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

async function start(order: EngineOrder & { kind: 'start' }): Promise<void> {
  const dir = join(order.dataDir, 'run');
  const folder = join(order.dataDir, 'engine');
  for (const path of [order.dataDir, dir, folder]) mkdirSync(path, { recursive: true, mode: 0o700 });
  // Never released: the next engine sees that this process is gone.
  lockFolder(engineLockFile(order.dataDir), order.dataDir);
  // Before the engine reads its files, and only by the owner of the folder.
  const droppedTokens = repairDeduplicationLogs(folder);
  const engine = await openNativeEngine({ dataDir: folder, memoryMb: order.memoryMb });
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { force: true });
  const runner = new QueryRunner({ engine, dir, clock: systemClock, ...order.concurrency });
  const server = createHttpFront({ runner, version: engine.version, dir, ...order.access, limits: order.limits });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(order.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : order.port;
  const stats = () => {
    const { running, waiting } = runner;
    say({ kind: 'stats', rssBytes: process.memoryUsage.rss(), running, waiting });
  };
  systemClock.every(1_000, stats);
  say({ kind: 'ready', port, version: engine.version, droppedTokens });
}

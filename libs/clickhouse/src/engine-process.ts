/**
 * The process of the embedded engine: started by `openEmbeddedClickHouse`, told over its IPC channel what to open, and gone
 * when that channel closes, so that it never outlives its parent, however that died.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { lockFolder } from '@millrace/lifecycle';
import { repairDeduplicationLogs } from './engine/deduplication-log.ts';
import { createHttpFront } from './engine/http-front.ts';
import { openNativeEngine } from './engine/native-engine.ts';
import { QueryRunner } from './engine/query-runner.ts';
import type { EngineOrder, EngineReport } from './engine-child.ts';

const say = (report: EngineReport) => void process.send?.(report, () => {}); // a parent that is gone hears nothing

// Ctrl-C reaches the whole process group; the parent decides when the engine stops.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.once('disconnect', () => process.exit(0));
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
  // Never released: the next owner sees that this process is gone.
  lockFolder(join(order.dataDir, 'owner.json'), order.dataDir);
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

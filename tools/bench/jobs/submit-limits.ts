/** What the machine itself can do: durable commits of one row, and POSTs of JSON, from as many clients as the submits come from. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@millrace/log';
import { openEmbeddedPostgres, openSql } from '@millrace/postgres';
import { percentile } from '../live/percentile.ts';
import { loadAt, post } from './submit-load.ts';

export interface LimitResult {
  /** INSERT of a row, each its own durable commit: by one client, by 20 at once. */
  readonly commitsAlonePerS: number;
  readonly commitsPerS: number;
  /** POST echo of node:http: at most, and the slowest percent at 300/s. */
  readonly echoPerS: number;
  readonly echoP99Ms: number;
}

const poolSize = 20;
const clients = 64;

export async function measureLimits(dir: string, seconds: number): Promise<LimitResult> {
  return { ...(await measureCommits(join(dir, 'limit-pg'), seconds)), ...(await measureEcho(seconds)) };
}

/** On the PostgreSQL that standalone brings, with its settings. */
async function measureCommits(dataDir: string, seconds: number) {
  await using cluster = await openEmbeddedPostgres({ dataDir, log: silentLogger });
  const sql = openSql(cluster.connectionUrl, { applicationName: 'limit', maxConnections: poolSize });
  try {
    await sql`CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)`;
    const text = 'x'.repeat(200);
    const insert = () => sql`INSERT INTO notes (text) VALUES (${text})`;
    await closedLoop(poolSize, 0.5, insert);
    const commitsAlonePerS = await closedLoop(1, seconds, insert);
    return { commitsAlonePerS, commitsPerS: await closedLoop(poolSize, seconds, insert) };
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function measureEcho(seconds: number) {
  const child = fork(fileURLToPath(new URL('./echo-process.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const target = { url: `http://127.0.0.1:${port}`, token: 'none', agent };
    const body = { videos: ['vid_00000000000000000000000000', 'vid_00000000000000000000000000'] };
    const echoPerS = await closedLoop(clients, seconds, () => post(target, '/', body));
    const open = await loadAt({ ...target, pid: child.pid ?? 0 }, 300, 300 * seconds, () => ({ path: '/', body }));
    return { echoPerS, echoP99Ms: open.p99Ms };
  } finally {
    agent.destroy();
    child.kill();
    await once(child, 'exit');
  }
}

/** How often `work` ends a second when so many are on their way at all times: the median of the seconds. */
async function closedLoop(atOnce: number, seconds: number, work: () => PromiseLike<unknown>): Promise<number> {
  const startedAt = performance.now();
  const ends: number[] = [];
  const one = async () => {
    while (performance.now() - startedAt < seconds * 1_000) {
      await work();
      ends.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const windowMs = Math.min(1_000, seconds * 1_000);
  const windows = Math.max(1, Math.floor(seconds));
  const perWindow = Array.from(
    { length: windows },
    (_, n) => ends.filter((end) => end >= n * windowMs && end < (n + 1) * windowMs).length,
  );
  return (percentile(perWindow, 0.5) * 1_000) / windowMs;
}

/** What a server that runs jobs holds while none runs: nothing of it may have grown by what it has done. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSql } from '../../libs/postgres/src/index.ts';
import { processTree } from '../rig/process-usage.ts';
import type { StandaloneServer } from '../rig/standalone-server.ts';

export interface Held {
  /** Of the server's process, without its connections to PostgreSQL. */
  readonly descriptors: number;
  /** Without PostgreSQL's, whose background processes come and go. */
  readonly processes: number;
  /** Connections that are in no pool: LISTEN and sessions. Each has its owner for as long as the server runs. */
  readonly ownConnections: number;
  /** In a transaction, or at a statement. */
  readonly busyConnections: number;
  readonly scratchFiles: number;
  readonly workFiles: number;
}

/**
 * Pools of a standalone by their names in pg_stat_activity, and how many connections each may have. How many it has now says nothing: it
 * opens them as they are wanted together, and closes them after minutes.
 */
const pools: Readonly<Record<string, number>> = { millrace: 20, 'standalone-log': 10 };

export interface Look {
  readonly held: Held;
  /** Connections of each name, LISTEN apart. */
  readonly connections: Readonly<Record<string, number>>;
  /** Pools with more connections than they may have, and names that no pool has. */
  readonly overfull: readonly string[];
}

export async function look(server: StandaloneServer, dataDir: string): Promise<Look> {
  const tree = processTree(server.pid);
  const backends = await backendsOf(dataDir);
  const connections: Record<string, number> = {};
  for (const { name } of backends) connections[name] = (connections[name] ?? 0) + 1;
  const isOwn = (name: string) => name.startsWith('LISTEN ') || name.endsWith('-session');
  const pooled = Object.entries(connections).filter(([name]) => !isOwn(name));
  return {
    held: {
      descriptors: readdirSync(`/proc/${server.pid}/fd`).length - backends.length,
      processes: tree.filter(({ pid }) => !commandLine(pid).includes('postgres')).length,
      ownConnections: backends.filter(({ name }) => isOwn(name)).length,
      busyConnections: backends.filter(({ idle }) => !idle).length,
      scratchFiles: filesBelow(join(dataDir, 'scratch')),
      workFiles: filesBelow(join(dataDir, 'media', 'work')) + filesBelow(join(dataDir, 'media', 'uploads')),
    },
    connections,
    overfull: pooled
      .filter(([name, count]) => count > (pools[name] ?? 0))
      .map(([name, count]) => `${count} connections of ${name}, which may have ${pools[name] ?? 0}`),
  };
}

/** The smallest of each over ten quiet seconds. */
export async function settled(server: StandaloneServer, dataDir: string): Promise<Held> {
  let { held: least } = await look(server, dataDir);
  for (let i = 0; i < 20; i++) {
    await sleep(500);
    const { held: now } = await look(server, dataDir);
    least = {
      descriptors: Math.min(least.descriptors, now.descriptors),
      processes: Math.min(least.processes, now.processes),
      ownConnections: Math.min(least.ownConnections, now.ownConnections),
      busyConnections: Math.min(least.busyConnections, now.busyConnections),
      scratchFiles: Math.min(least.scratchFiles, now.scratchFiles),
      workFiles: Math.min(least.workFiles, now.workFiles),
    };
  }
  return least;
}

/** Waits until nothing is above the baseline; what still is after a minute. */
export async function untilSame(server: StandaloneServer, dataDir: string, before: Held): Promise<readonly string[]> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { held, overfull } = await look(server, dataDir);
    const above = Object.entries(held).filter(([what, count]) => count > before[what as keyof Held]);
    if (above.length === 0 && overfull.length === 0) return [];
    if (performance.now() > deadline) {
      return [...above.map(([what, count]) => `${count} ${what}, before ${before[what as keyof Held]}`), ...overfull];
    }
    await sleep(1_000);
  }
}

interface Backend {
  readonly name: string;
  readonly idle: boolean;
}

/** PostgreSQL's own account of who is connected, without the connection that asks for it. */
async function backendsOf(dataDir: string): Promise<readonly Backend[]> {
  const host = encodeURIComponent(join(dataDir, 'postgres', 'run'));
  const sql = openSql(`postgres://millrace@localhost/postgres?host=${host}`, {
    ...{ applicationName: 'soak', maxConnections: 1 },
  });
  try {
    return await sql<Backend[]>`
      SELECT CASE WHEN query ~* '^listen ' THEN upper(left(query, 7)) || substr(query, 8) ELSE application_name END AS name,
        state = 'idle' AS idle
      FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function filesBelow(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && entry.name !== '.lock').length;
  } catch {
    return 0;
  }
}

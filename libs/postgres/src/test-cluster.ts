/** One real PostgreSQL for a whole test run. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { isAlive } from '@millrace/lifecycle';
import { silentLogger } from '@millrace/log';
import { clusterFiles } from './cluster-files.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded.ts';
import { clearStalePostmaster } from './postmaster.ts';
import { askTestEngine, openTestEngineSupervisor } from './test-engine.ts';

/** Tells the test processes where the supervisor listens. */
export const supervisorVariable = 'MILLRACE_TEST_POSTGRES';
const folderPrefix = 'millrace-test-pg-';

/** Opens the supervisor; `socketPath` goes into the environment of the test processes. */
export async function openTestClusterSupervisor(): Promise<{ readonly socketPath: string } & AsyncDisposable> {
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  return openTestEngineSupervisor(
    folder,
    () => openTestCluster(join(folder, 'pg')),
    ({ connectionUrl }) => ({ url: connectionUrl }),
  );
}

/** A cluster for tests that do not care about durability: fsync is off, and many connections are allowed. */
export function openTestCluster(dataDir: string): Promise<EmbeddedPostgres> {
  const settings = { fsync: 'off', max_connections: 250, shared_buffers: '64MB' };
  return openEmbeddedPostgres({ dataDir, log: silentLogger, settings, stopDeadlineMs: 3_000 });
}

/** Asks the supervisor for the cluster's URL; throws when PostgreSQL did not start, so that tests fail and say why. */
export async function askSupervisor(socketPath: string): Promise<string> {
  return (await askTestEngine<{ readonly url: string }>(socketPath, 'PostgreSQL')).url;
}

/** Stops and removes the clusters of test runs that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(folderPrefix))) {
    const pid = Number(name.slice(folderPrefix.length).split('-')[0]);
    if (!Number.isInteger(pid) || pid <= 0 || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    try {
      await clearStalePostmaster(clusterFiles(join(folder, 'pg')).cluster, systemClock, silentLogger);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // another user's leftovers: not ours to remove
    }
  }
}

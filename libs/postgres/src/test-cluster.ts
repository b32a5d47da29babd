/**
 * One real PostgreSQL for a whole test run: a supervisor in the test runner's main process starts it when the first test
 * asks, so that a run without databases does not pay for it, and stops it when the run ends.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { isAlive } from '@millrace/lifecycle';
import { silentLogger } from '@millrace/log';
import { clusterFiles } from './cluster-files.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded.ts';
import { clearStalePostmaster } from './postmaster.ts';

/** Tells the test processes where the supervisor listens. */
export const supervisorVariable = 'MILLRACE_TEST_POSTGRES';
const folderPrefix = 'millrace-test-pg-';

/** Opens the supervisor; `socketPath` goes into the environment of the test processes. */
export async function openTestClusterSupervisor(): Promise<{ socketPath: string } & AsyncDisposable> {
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const socketPath = join(folder, 'supervisor.sock');
  let cluster: Promise<EmbeddedPostgres> | undefined;
  const server = createServer((_request, response) => {
    cluster ??= openTestCluster(join(folder, 'pg'));
    cluster.then(
      (opened) => response.end(JSON.stringify({ url: opened.connectionUrl })),
      (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  server.unref();
  return {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const opened = await cluster?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A cluster for tests that do not care about durability: fsync is off, and many connections are allowed. */
export function openTestCluster(dataDir: string): Promise<EmbeddedPostgres> {
  const settings = { fsync: 'off', max_connections: 250, shared_buffers: '64MB' };
  return openEmbeddedPostgres({ dataDir, log: silentLogger, settings, stopDeadlineMs: 3_000 });
}

/** Asks the supervisor for the cluster's URL; throws when PostgreSQL did not start, so that tests fail and say why. */
export function askSupervisor(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/' }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const answer = JSON.parse(body) as { url?: string; error?: string };
        if (answer.url !== undefined) resolve(answer.url);
        else reject(new Error(`the tests' PostgreSQL did not start: ${answer.error}`));
      });
    });
    asked.once('error', reject);
    asked.end();
  });
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

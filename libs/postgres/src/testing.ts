import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSql, type Sql } from './sql.ts';
import { askSupervisor, openTestCluster, supervisorVariable } from './test-cluster.ts';

export { openTestClusterSupervisor, supervisorVariable } from './test-cluster.ts';
export { askTestEngine, openTestEngineSupervisor } from './test-engine.ts';

export interface TestDatabase extends AsyncDisposable {
  /** For `openSql`. */
  readonly url: string;
  /** A pool on it, closed with the database. */
  readonly sql: Sql;
}

/**
 * An empty database of its own in the test run's real PostgreSQL; dropped when disposed. Outside a test run (a
 * benchmark) it brings a cluster of its own. Throws when PostgreSQL cannot start: tests fail and say why.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const cluster = await testCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = openSql(cluster.url, { applicationName: 'tests-admin', maxConnections: 1 });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(cluster.url);
  url.pathname = `/${name}`;
  const sql = openSql(url.toString(), { applicationName: 'tests', maxConnections: 8 });
  return {
    url: url.toString(),
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 2 });
      await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.end({ timeout: 2 });
      await cluster[Symbol.asyncDispose]();
    },
  };
}

async function testCluster(): Promise<{ url: string } & AsyncDisposable> {
  const supervisor = process.env[supervisorVariable];
  if (supervisor !== undefined) {
    return { url: await askSupervisor(supervisor), [Symbol.asyncDispose]: async () => {} };
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pg-'));
  const cluster = await openTestCluster(join(folder, 'pg'));
  return {
    url: cluster.connectionUrl,
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

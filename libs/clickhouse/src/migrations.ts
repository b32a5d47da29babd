/**
 * Numbered SQL files, each applied once, in order. ClickHouse has no transactions: every statement of a migration must be safe to
 * run again (`IF NOT EXISTS`, `OR REPLACE`), as a crash between a statement and its record repeats the whole file. What has been
 * applied is never edited: its checksum is kept.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { splitStatements } from './statements.ts';

export interface ClickHouseMigrationOptions {
  readonly client: ClickHouseClient;
  /** Made when missing; unqualified names in the files are in it. Letters, digits and underscores. */
  readonly database: string;
  /** A folder of `NNNN-name.sql` files. */
  readonly dir: string;
}

const namePattern = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** Brings `database` up to date; returns the names of what was applied now. */
export async function runClickHouseMigrations(options: ClickHouseMigrationOptions): Promise<readonly string[]> {
  const { client, database } = options;
  if (!/^[A-Za-z_]\w{0,63}$/.test(database)) throw new Error(`expected a plain database name, got "${database}"`);
  const files = readMigrations(options.dir);
  // The client names its database with each query; the first of two names counts, and the first must exist.
  const inDefault = { clickhouse_settings: { database: 'default' } as ClickHouseSettings };
  await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}`, ...inDefault });
  await client.command({
    query: `CREATE TABLE IF NOT EXISTS ${database}.schema_migrations
       (name String, checksum String, applied_at DateTime DEFAULT now()) ENGINE = ReplacingMergeTree ORDER BY name`,
    ...inDefault,
  });
  const rows = await client.query({
    query: `SELECT name, checksum FROM ${database}.schema_migrations FINAL`,
    format: 'JSONEachRow',
  });
  const applied = new Map(
    (await rows.json<{ name: string; checksum: string }>()).map((row) => [row.name, row.checksum]),
  );
  const now: string[] = [];
  for (const { name, text } of files) {
    const checksum = createHash('sha256').update(text).digest('hex');
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined)
      throw new Error(`migration ${database}/${name} was changed after it was applied: add a new file instead`);
    for (const [index, statement] of splitStatements(text).entries()) {
      try {
        await client.command({ query: statement });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`migration ${database}/${name}, statement ${index + 1}: ${why}`, { cause: error });
      }
    }
    await client.insert({
      table: `${database}.schema_migrations`,
      values: [{ name, checksum }],
      columns: ['name', 'checksum'],
      format: 'JSONEachRow',
    });
    now.push(name);
  }
  return now;
}

/** The `NNNN-name.sql` files of a folder, by number. */
function readMigrations(dir: string): { name: string; text: string }[] {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return names.map((name, index) => {
    if (Number(namePattern.exec(name)?.[1]) !== index + 1) {
      const expected = `${String(index + 1).padStart(4, '0')}-<name>.sql`;
      throw new Error(`migrations in ${dir}: expected ${expected} at place ${index + 1}, got ${name}`);
    }
    return { name, text: readFileSync(join(dir, name), 'utf8') };
  });
}

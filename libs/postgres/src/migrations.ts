/**
 * Numbered SQL files, each applied once, in order, in a transaction of its own, under an advisory lock, so that services
 * started together do not race. What has been applied is never edited: its checksum is kept.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession, type Sql } from './sql.ts';

export interface Migration {
  /** `0001-streams.sql` */
  readonly name: string;
  readonly text: string;
}

export interface MigrationOptions {
  readonly sql: Sql;
  /** Made when missing; also the search path of the migrations. Lower-case letters, digits and underscores. */
  readonly schema: string;
  /** A folder of `NNNN-name.sql` files, or the files themselves. */
  readonly dir?: string;
  readonly files?: readonly Migration[];
}

const namePattern = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** Brings `schema` up to date; returns the names of what was applied now. */
export async function runMigrations(options: MigrationOptions): Promise<readonly string[]> {
  const { sql, schema } = options;
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`expected a plain schema name, got "${schema}"`);
  const migrations = options.files ?? readMigrations(options.dir ?? 'migrations');
  checkNumbers(migrations, schema);
  const connection = openSession(sql);
  try {
    await connection`SELECT pg_advisory_lock(hashtextextended(${`millrace-migrations-${schema}`}, 0))`;
    await connection.unsafe(
      `CREATE SCHEMA IF NOT EXISTS ${schema};
       CREATE TABLE IF NOT EXISTS ${schema}.migrations (
         name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const rows = await connection.unsafe(`SELECT name, checksum FROM ${schema}.migrations`);
    const applied = new Map(rows.map((row) => [String(row['name']), String(row['checksum'])]));
    const now: string[] = [];
    for (const { name, text } of migrations) {
      const checksum = createHash('sha256').update(text).digest('hex');
      const before = applied.get(name);
      if (before === checksum) continue;
      if (before !== undefined) {
        throw new Error(`migration ${schema}/${name} was changed after it was applied: add a new file instead`);
      }
      try {
        await connection.unsafe(
          `BEGIN; SET LOCAL search_path TO ${schema}, public; SET LOCAL statement_timeout TO 0;
           ${text}
           ;INSERT INTO ${schema}.migrations (name, checksum) VALUES ('${name}', '${checksum}'); COMMIT`,
        );
      } catch (error) {
        await connection.unsafe('ROLLBACK').catch(() => {}); // the connection may be gone; the first error tells
        throw new Error(
          `migration ${schema}/${name} failed: ${error instanceof Error ? error.message : String(error)}`,
          {
            cause: error,
          },
        );
      }
      now.push(name);
    }
    return now;
  } finally {
    await connection.end({ timeout: 5 }); // and with the session goes its lock
  }
}

/** The `NNNN-name.sql` files of a folder, by number. */
export function readMigrations(dir: string): Migration[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(dir, name), 'utf8') }));
}

function checkNumbers(migrations: readonly Migration[], schema: string): void {
  migrations.forEach(({ name }, index) => {
    const number = namePattern.exec(name)?.[1];
    if (Number(number) !== index + 1) {
      const expected = `${String(index + 1).padStart(4, '0')}-<name>.sql`;
      throw new Error(`migrations of ${schema}: expected ${expected} at place ${index + 1}, got ${name}`);
    }
  });
}

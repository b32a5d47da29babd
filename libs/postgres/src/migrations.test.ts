import { expect, it } from 'vitest';
import { runMigrations } from './migrations.ts';
import { openSql } from './sql.ts';
import { createTestDatabase } from './testing.ts';

const first = { name: '0001-streams.sql', text: 'CREATE TABLE streams (id text PRIMARY KEY);' };
const second = { name: '0002-title.sql', text: 'ALTER TABLE streams ADD COLUMN title text; -- the end' };

it('migrations are applied once, in order, into their schema', async () => {
  await using db = await createTestDatabase();
  expect(await runMigrations({ sql: db.sql, schema: 'control', files: [first] })).toEqual([first.name]);
  expect(await runMigrations({ sql: db.sql, schema: 'control', files: [first, second] })).toEqual([second.name]);
  expect(await runMigrations({ sql: db.sql, schema: 'control', files: [first, second] })).toEqual([]);
  await db.sql`INSERT INTO control.streams (id, title) VALUES ('a', 'b')`;
});

it('services that start together apply a migration once', async () => {
  await using db = await createTestDatabase();
  const pools = [1, 2, 3, 4].map(() => openSql(db.url, { applicationName: 'racer', maxConnections: 2 }));
  const applied = await Promise.all(
    pools.map((sql) => runMigrations({ sql, schema: 'control', files: [first, second] })),
  );
  expect(applied.flat().sort()).toEqual([first.name, second.name]);
  await Promise.all(pools.map((sql) => sql.end()));
});

it('a migration that was edited after it ran is refused by name', async () => {
  await using db = await createTestDatabase();
  await runMigrations({ sql: db.sql, schema: 'control', files: [first] });
  const edited = { ...first, text: `${first.text} ` };
  await expect(runMigrations({ sql: db.sql, schema: 'control', files: [edited] })).rejects.toThrow(
    'control/0001-streams.sql was changed',
  );
});

it('a migration that fails leaves nothing behind and those before it stand', async () => {
  await using db = await createTestDatabase();
  const broken = { name: '0002-broken.sql', text: 'CREATE TABLE half (id int); SELECT nonsense;' };
  await expect(runMigrations({ sql: db.sql, schema: 'control', files: [first, broken] })).rejects.toThrow(
    /control\/0002-broken.sql failed: .*nonsense/,
  );
  const tables = await db.sql`SELECT tablename FROM pg_tables WHERE schemaname = 'control' ORDER BY 1`;
  expect(tables.map((row) => row['tablename'])).toEqual(['migrations', 'streams']);
  expect(await runMigrations({ sql: db.sql, schema: 'control', files: [first, second] })).toEqual([second.name]);
});

it('a hole in the numbers or a stray schema name is refused before anything runs', async () => {
  await using db = await createTestDatabase();
  await expect(runMigrations({ sql: db.sql, schema: 'control', files: [second] })).rejects.toThrow(
    'expected 0001-<name>.sql',
  );
  await expect(runMigrations({ sql: db.sql, schema: 'a; DROP', files: [] })).rejects.toThrow('plain schema name');
});

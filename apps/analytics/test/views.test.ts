import { readFileSync } from 'node:fs';
import { runClickHouseMigrations } from '@millrace/clickhouse';
import { createTestClickHouse } from '@millrace/clickhouse/testing';
import { expect, it } from 'vitest';
import { analystViewNames } from '../src/core/analyst-query.ts';
import { factTables } from '../src/core/fact-rows.ts';

it('every view and column is documented in the database and in docs/analytics.md, alike', async () => {
  await using engine = await createTestClickHouse();
  const dir = new URL('../migrations', import.meta.url).pathname;
  await runClickHouseMigrations({ client: engine.client, database: engine.database, dir });
  const rows = async <T>(query: string): Promise<T[]> =>
    (await engine.client.query({ query, format: 'JSONEachRow' })).json<T>();
  const columns = await rows<{ view: string; name: string; type: string; comment: string }>(
    `SELECT table AS view, name, type, comment FROM system.columns
     WHERE database = currentDatabase() AND startsWith(table, 'v_') ORDER BY table, position`,
  );
  const guide = readFileSync(new URL('../../../docs/analytics.md', import.meta.url), 'utf8');
  for (const view of analystViewNames) {
    const section = guide.split(`### ${view}\n`)[1]?.split('\n### ')[0] ?? '';
    const told = [...section.matchAll(/^\| `(\w+)` \| `([^`]+)` \| (.+) \|$/gm)].map(([, ...cells]) => cells);
    const real = columns.filter((column) => column.view === view);
    expect(told, view).toEqual(real.map(({ name, type, comment }) => [name, type, comment]));
    expect(
      real.every((column) => column.comment !== ''),
      view,
    ).toBe(true);
  }
  expect(new Set(columns.map((column) => column.view))).toEqual(analystViewNames);
  // exactly-once insertion stands on a window in every table that takes rows, those behind materialised views too
  const tables = await rows<{ name: string; engine_full: string }>(
    `SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
     AND name != 'schema_migrations'`,
  );
  expect(tables.length).toBe(factTables.length + 4);
  for (const { name, engine_full } of tables) {
    expect(engine_full, name).toContain('non_replicated_deduplication_window = 10000');
  }
}, 60_000);

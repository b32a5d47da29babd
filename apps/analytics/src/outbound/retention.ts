import type { ClickHouseClient } from '@millrace/clickhouse';

/** Tables whose rows expire, by the column that says how old they are. */
const expiring = {
  raw: {
    stream_events: 'at',
    renditions: 'at',
    ingest_health: 'at',
    viewer_events: 'at',
    beacons: 'at',
    audience: 'at',
  },
  folded: { sessions: 'last_seen', minutes: 'minute', audience_minutes: 'minute', ingest_minutes: 'minute' },
} as const;

/** Sets how long rows are kept, where the tables say something else. Existing parts follow as they are merged. */
export async function setRetention(
  client: ClickHouseClient,
  days: { readonly raw: number; readonly folded: number },
): Promise<readonly string[]> {
  const result = await client.query({
    query: 'SELECT name, create_table_query AS made FROM system.tables WHERE database = currentDatabase()',
    format: 'JSONEachRow',
  });
  const made = new Map((await result.json<{ name: string; made: string }>()).map((row) => [row.name, row.made]));
  const changed: string[] = [];
  for (const kind of ['raw', 'folded'] as const) {
    for (const [table, column] of Object.entries(expiring[kind])) {
      if (made.get(table)?.includes(`toIntervalDay(${days[kind]})`) === true) continue;
      await client.command({
        query: `ALTER TABLE ${table} MODIFY TTL toDateTime(${column}, 'UTC') + toIntervalDay(${days[kind]})`,
        clickhouse_settings: { materialize_ttl_after_modify: 0 },
      });
      changed.push(table);
    }
  }
  return changed;
}

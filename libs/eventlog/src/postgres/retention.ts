/**
 * What the log forgets, in bounded steps. Facts and samples go by age. The log rows of a state topic are only needed by
 * readers that lag: they go after an hour, because the last value of each key stays in `last_values`; tombstones stay
 * there for a day, and values of a topic with a retention expire by it.
 */
import type { Sql } from '@millrace/postgres';

const hourMs = 3_600_000;
const compactAfterMs = hourMs;
const tombstonesMs = 24 * hourMs;
const rowsPerStep = 1_000;

/** One step over all topics at `nowMs`; returns how many rows went: 0 when there is no more to do. */
export async function retainOnce(sql: Sql, nowMs: number): Promise<number> {
  const oldest = await sql`
    SELECT t.name AS topic, p.partition, h.newest_ms, CASE
      WHEN t.kind = 'state' THEN ${String(nowMs)}::int8 - LEAST(t.retention_ms, ${compactAfterMs}::int8)
      ELSE ${String(nowMs)}::int8 - t.retention_ms END AS cutoff
    FROM eventlog.topics t JOIN eventlog.partitions p ON p.topic = t.name
    CROSS JOIN LATERAL (
      SELECT newest_ms FROM eventlog.log l WHERE l.topic = p.topic AND l.partition = p.partition
      ORDER BY last_offset LIMIT 1) h`;
  let removed = 0;
  for (const row of oldest) {
    const cutoff = row['cutoff'] as bigint | null;
    if (cutoff === null || (row['newest_ms'] as bigint) >= cutoff) continue;
    removed += await trimPartition(sql, String(row['topic']), Number(row['partition']), cutoff);
  }
  return removed + (await trimLastValues(sql, nowMs));
}

/** Removes the rows before the first that is still young enough: a prefix, so that the log stays without holes. */
async function trimPartition(sql: Sql, topic: string, partition: number, cutoff: bigint): Promise<number> {
  const [row] = await sql`
    WITH head AS (
      SELECT last_offset, newest_ms FROM eventlog.log WHERE topic = ${topic} AND partition = ${partition}
      ORDER BY last_offset LIMIT ${rowsPerStep}
    ), boundary AS (
      SELECT COALESCE(min(last_offset) FILTER (WHERE newest_ms >= ${String(cutoff)}::int8), max(last_offset) + 1) AS keep FROM head
    ), gone AS (
      DELETE FROM eventlog.log WHERE topic = ${topic} AND partition = ${partition}
        AND last_offset < (SELECT keep FROM boundary) RETURNING last_offset
    ), moved AS (
      UPDATE eventlog.partitions SET start_offset = (SELECT max(last_offset) + 1 FROM gone)
      WHERE topic = ${topic} AND partition = ${partition} AND EXISTS (SELECT 1 FROM gone)
    )
    SELECT count(*)::int AS removed FROM gone`;
  return Number(row?.['removed'] ?? 0);
}

async function trimLastValues(sql: Sql, nowMs: number): Promise<number> {
  const result = await sql`
    DELETE FROM eventlog.last_values WHERE (topic, key) IN (
      SELECT v.topic, v.key FROM eventlog.last_values v JOIN eventlog.topics t ON t.name = v.topic
      WHERE v.time_ms < ${String(nowMs)}::int8 - t.retention_ms
         OR (v.removed AND v.time_ms < ${String(nowMs - tombstonesMs)}::int8)
      LIMIT ${rowsPerStep})`;
  return result.count;
}

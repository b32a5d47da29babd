/**
 * Counts by owner that change in the statements that change what they count. An owner's count is the sum over its rows; each connection
 * has a row of its own, so that transactions of one owner do not wait for each other.
 */
import type { Queryable } from './row-mapping.ts';

/** Table and column of what is counted: jobs that wait or run, videos. */
const counts = {
  openJobs: ['progress.open_jobs', 'open'],
  videos: ['progress.video_counts', 'videos'],
} as const;

type Count = keyof typeof counts;
type Fragment = ReturnType<Queryable>;

/** A part of a statement that adds what `more` selects, `owner_id` and `more`, each owner once. */
export function addToCount(sql: Queryable, count: Count, more: Fragment): Fragment {
  const [table, column] = counts[count];
  return sql`
    INSERT INTO ${sql(table)} AS counted (owner_id, slot, ${sql(column)})
    SELECT owner_id, pg_backend_pid() % 64, more FROM (${more}) AS changed
    ON CONFLICT (owner_id, slot) DO UPDATE SET ${sql(column)} = counted.${sql(column)} + excluded.${sql(column)}`;
}

/** An expression: the owner's count. */
export function countOf(sql: Queryable, count: Count, ownerId: string): Fragment {
  const [table, column] = counts[count];
  return sql`coalesce((SELECT sum(${sql(column)}) FROM ${sql(table)} WHERE owner_id = ${ownerId}), 0)::int`;
}

/**
 * How an analyst's statement runs: as a subquery behind common table expressions that carry the views' names and hold only the
 * owner's rows. Three walls stand one behind the other: the text is written anew from tokens (analyst-text.ts), the parsed tree
 * is made of what is allowed (analyst-tree.ts), and ClickHouse runs it read-only, with limits, in a namespace without tables.
 */
import type { SqlQuery } from './sql-query.ts';

/** Views that analysts may read, and the column that says whose a row is; without one the stream does. */
const analystViews = {
  v_streams: 'owner_id',
  v_broadcasts: 'owner_id',
  v_renditions: 'stream_id',
  v_sessions: 'owner_id',
  v_minutes: 'owner_id',
  v_audience: 'stream_id',
  v_ingest: 'stream_id',
  v_beacons: 'owner_id',
} as const;
export type AnalystView = keyof typeof analystViews;
export const analystViewNames: ReadonlySet<string> = new Set(Object.keys(analystViews));

/** Names in the outer query that nobody can write: `readAnalystText` gives the inner one. */
export function confinedQuery(options: {
  readonly text: string;
  readonly database: string;
  readonly ownerId: string | undefined;
  readonly maxRows: number;
}): SqlQuery {
  const { database, ownerId } = options;
  const named = Object.entries(analystViews).filter(([view]) => new RegExp(`\\b${view}\\b`).test(options.text));
  const ctes = named.map(
    ([view, column]) => `${view} AS (SELECT * FROM ${database}.${view}${whose(column, database, ownerId)})`,
  );
  return {
    sql: `${ctes.length === 0 ? '' : `WITH ${ctes.join(',\n')}\n`}SELECT * FROM (\n${options.text}\n) LIMIT ${options.maxRows + 1}`,
    params: ownerId === undefined ? {} : { owner: ownerId },
  };
}

/** The statement alone, for the parser. */
export function parsedQuery(text: string): SqlQuery {
  return { sql: `SELECT * FROM (\n${text}\n)`, params: {} };
}

function whose(column: string, database: string, ownerId: string | undefined): string {
  if (ownerId === undefined) return '';
  if (column === 'owner_id') return ' WHERE owner_id = {owner:String}';
  return ` WHERE stream_id IN (SELECT stream_id FROM ${database}.streams WHERE owner_id = {owner:String})`;
}

/** Inserts the rows of one range into one table: with its token, so that a repetition counts once, views included. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type ClickHouseClient, ClickHouseError } from '@millrace/clickhouse';
import type { FactInsert, InsertOutcome } from '../core/fact-insert.ts';

/**
 * One insert is one block: parsed in order, formed whole, so that its parts and those of the views get the same names in a
 * repetition. Every server setting that this depends on is said, as their defaults have changed over the years.
 */
const settings = {
  async_insert: 0,
  wait_end_of_query: 1,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  materialized_views_ignore_errors: 0,
  parallel_view_processing: 0,
  input_format_parallel_parsing: 0,
  max_insert_block_size: '1000000',
  min_insert_block_size_rows: '1000000',
  min_insert_block_size_bytes: '1000000000',
  max_insert_threads: '1',
  input_format_skip_unknown_fields: 0,
} as const;

/** Codes that the rows cause and no repetition mends: parsing, types, ranges, constraints. */
const rowCodes = new Set([
  '6',
  '26',
  '27',
  '33',
  '38',
  '41',
  '53',
  '69',
  '70',
  '72',
  '117',
  '130',
  '131',
  '321',
  '349',
  '469',
  '691',
]);

/** Outages by what they mean to an operator; few, as they become a label. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ClickHouseError)) return 'unreachable';
  switch (error.code) {
    case '202':
    case '252':
      return 'overloaded';
    case '241':
      return 'memory';
    case '159':
    case '209':
    case '394':
      return 'timeout';
    case '60':
    case '81':
    case '16':
      return 'schema';
    case '516':
    case '192':
    case '193':
    case '497':
    case '164':
      return 'access';
    default:
      return 'engine';
  }
}

export function createFactInsert(client: ClickHouseClient): FactInsert {
  return async (table, lines, token, signal): Promise<InsertOutcome> => {
    try {
      // Not `insert`: it takes rows as objects and would encode them, one stream event a row.
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        values: Readable.from([Buffer.from(`${lines.join('\n')}\n`)], { objectMode: false }),
        clickhouse_settings: { ...settings, insert_deduplication_token: token },
        abort_signal: signal,
      });
      await finished(stream.resume());
      return { kind: 'inserted' };
    } catch (error) {
      const row = error instanceof ClickHouseError && rowCodes.has(error.code) ? rowOf(error.message) : undefined;
      if (row !== undefined && row < lines.length) return { kind: 'bad-row', row, error };
      return { kind: 'away', reason: reasonOf(error), error };
    }
  };
}

/** The engine counts from 1. */
function rowOf(message: string): number | undefined {
  const found = /at row (\d+)/.exec(message);
  return found === null ? undefined : Number(found[1]) - 1;
}

/**
 * Exactly once, as offsets: records of a partition go into ClickHouse in ranges. A range is declared (committed to the log as the
 * group's metadata) before it is inserted and closed after; whoever finds one declared inserts exactly that range again, with the
 * same token, so ClickHouse knows whether it has it. Pure: the sink does what this says.
 */
export interface OffsetRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** What a commit's metadata says while `range` is being inserted; '' when nothing is. */
export function rangeMetadata(range: OffsetRange): string {
  return `insert:${range.first}-${range.last}`;
}

/** The range that was being inserted when the last commit was made; undefined when none was. */
export function declaredRange(metadata: string): OffsetRange | undefined {
  const found = /^insert:(\d+)-(\d+)$/.exec(metadata);
  if (found === null) return undefined;
  const range = { first: BigInt(found[1] ?? 0), last: BigInt(found[2] ?? 0) };
  return range.first <= range.last ? range : undefined;
}

/** Names the rows that a range gives one table: equal after a crash, different for everything else. */
export function insertToken(topic: string, partition: number, range: OffsetRange, table: string): string {
  return `${topic}:${partition}:${range.first}-${range.last}:${table}`;
}

export interface RangeLimits {
  readonly maxRecords: number;
  /** Longest wait of the oldest record for more to go with it, ms. */
  readonly lingerMs: number;
}

export interface Buffered {
  /** Offsets of what has come and is in no range yet, ascending. */
  readonly offsets: readonly bigint[];
  /** Age of the oldest of them, ms. */
  readonly oldestMs: number;
  /** Offset that the partition's next record will have, as far as is known. */
  readonly end: bigint;
}

export type RangePlan =
  /** Nothing yet; look again when more comes, at the latest after `ms`. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** The first `records` of the buffer, as `range`. */
  | { readonly kind: 'insert'; readonly range: OffsetRange; readonly records: number };

/**
 * What to insert next. A `declared` range comes first and whole: it is ready once a record at or behind its end has come, or the
 * log has no more. (Compaction and retention may have removed records of it meanwhile; its token still tells.)
 */
export function planRange(buffer: Buffered, declared: OffsetRange | undefined, limits: RangeLimits): RangePlan {
  const { offsets } = buffer;
  const last = offsets.at(-1);
  const first = offsets[0];
  if (first === undefined || last === undefined) return { kind: 'wait', ms: Number.POSITIVE_INFINITY };
  if (declared !== undefined) {
    if (last < declared.last && last + 1n < buffer.end) return { kind: 'wait', ms: Number.POSITIVE_INFINITY };
    const records = offsets.findIndex((offset) => offset > declared.last);
    return { kind: 'insert', range: declared, records: records < 0 ? offsets.length : records };
  }
  const full = offsets.length >= limits.maxRecords;
  if (!full && buffer.oldestMs < limits.lingerMs) return { kind: 'wait', ms: limits.lingerMs - buffer.oldestMs };
  const records = Math.min(offsets.length, limits.maxRecords);
  return { kind: 'insert', range: { first, last: offsets[records - 1] ?? first }, records };
}

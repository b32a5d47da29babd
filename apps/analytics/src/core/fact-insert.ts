/** What the sink needs of ClickHouse. */
export type InsertOutcome =
  | { readonly kind: 'inserted' }
  /** Nothing was inserted, because this row (an index) cannot be; the others may be without it. */
  | { readonly kind: 'bad-row'; readonly row: number; readonly error: unknown }
  /** Not inserted, or nobody knows: to be repeated with the same rows and token until it works. */
  | { readonly kind: 'away'; readonly reason: string; readonly error: unknown };

/** Inserts `lines` (JSONEachRow) into `table` unless `token` is there already. Never rejects. */
export type FactInsert = (
  table: string,
  lines: readonly string[],
  token: string,
  signal: AbortSignal,
) => Promise<InsertOutcome>;

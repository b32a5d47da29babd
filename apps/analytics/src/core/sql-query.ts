/** A statement and its values, which go beside it: nothing that a caller gave is ever part of the text. */
export interface SqlQuery {
  readonly sql: string;
  /** By the names in `{name:Type}`. */
  readonly params: Readonly<Record<string, SqlValue>>;
}

export type SqlValue = string | number | readonly string[] | readonly number[];

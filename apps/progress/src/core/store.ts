/**
 * What progress asks of its database. Rows are reached by noun; inside `transaction` the same nouns join one transaction, together
 * with what it publishes. A `lock...` takes the row's lock until the end of the transaction, before every change.
 */
import type { NewRecord } from '@millrace/eventlog';

/** Keys and prefixes of the media store that nothing refers to any more: removed now, and once more when no late worker can write. */
export interface CleanupRows {
  /** `prefix` ends in `/`; `key` is one object. */
  add(entries: readonly ({ readonly prefix: string } | { readonly key: string })[], nowMs: number): Promise<void>;
}

/** Every kind of row; each module adds its own (`core/video-rows.ts`...). */
export interface Rows {
  readonly cleanups: CleanupRows;
}

export interface Transaction extends Rows {
  /** Publishes with the commit: all of it or nothing. */
  publish(records: readonly NewRecord[]): Promise<void>;
}

export interface ProgressStore extends Rows {
  /** Runs `work` in one transaction; when it rejects, nothing has happened. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

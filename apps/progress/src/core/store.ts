/**
 * What progress asks of its database. Rows are reached by noun; inside `transaction` the same nouns join one transaction, together
 * with what it publishes. A `lock...` takes the row's lock until the end of the transaction, before every change.
 *
 * Locks are taken in one order, so that nobody waits in a circle: the subject's row (a video, a composition, an image), then the
 * turn to add a video to the owner's, then jobs by id, then the owner's turn, then tasks by id.
 */
import type { NewRecord } from '@millrace/eventlog';
import type { AnswerRows } from '@millrace/postgres';
import type { CompositionRows } from './composition-rows.ts';
import type { ImageRows } from './image-rows.ts';
import type { ImportRows, OriginalImportRows } from './import-rows.ts';
import type { JobRows } from './job-rows.ts';
import type { TaskRows } from './task-rows.ts';
import type { UploadRows } from './upload-rows.ts';
import type { VideoRows } from './video-rows.ts';
import type { WebhookRows } from './webhook-rows.ts';

/** Keys and prefixes of the media store that nothing refers to any more: removed now, and once more when no late worker can write. */
export interface CleanupRows {
  /** `prefix` ends in `/`; `key` is one object. */
  add(entries: readonly ({ readonly prefix: string } | { readonly key: string })[], nowMs: number): Promise<void>;
  /** Takes at most `limit` entries that are due; they are due again at `againMs` unless they are settled before. */
  take(nowMs: number, againMs: number, limit: number): Promise<readonly Cleanup[]>;
  /** It was removed for the first time, and is to be once more; or nothing is left to do. */
  settle(cleanupIds: readonly bigint[], onceMoreMs: number | undefined): Promise<void>;
  /** What was to be removed is referred to now. */
  withdraw(key: string): Promise<void>;
  /** It could not be removed: to be tried again later. */
  postpone(cleanupId: bigint, untilMs: number): Promise<void>;
}

export interface Cleanup {
  readonly cleanupId: bigint;
  /** A prefix ends in `/`. */
  readonly target: string;
  readonly again: boolean;
  readonly failures: number;
}

/** Every kind of row; each module adds its own (`core/video-rows.ts`...). */
export interface Rows {
  readonly jobs: JobRows;
  readonly tasks: TaskRows;
  readonly cleanups: CleanupRows;
  readonly videos: VideoRows;
  readonly uploads: UploadRows;
  readonly imports: OriginalImportRows;
  readonly pictureImports: ImportRows;
  readonly compositions: CompositionRows;
  readonly images: ImageRows;
  readonly webhooks: WebhookRows;
  readonly answers: AnswerRows;
}

export interface Transaction extends Rows {
  /** Publishes with the commit: all of it or nothing. */
  publish(records: readonly NewRecord[]): Promise<void>;
  /** Whether other works may share this transaction. */
  readonly isShared: boolean;
  /** Returns where this transaction is the caller's own, throws where it is shared: then the work is done again in one of its own. */
  needsOwn(): void;
  /** Calls back once the transaction is committed, not at all when it is not; for hints that may get lost. Must not throw. */
  afterCommit(hint: () => void): void;
}

export interface ProgressStore extends Rows {
  /** Runs `work` in one transaction; when it rejects, nothing has happened. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * The same in a transaction that other works may share, so that many cost one commit. `key` names what the work changes: works of one
   * key are never on their way together; undefined: nothing that others could. It may be run again, so it changes nothing beside `tx`.
   */
  shared<T>(key: string | undefined, work: (tx: Transaction) => Promise<T>): Promise<T>;
}

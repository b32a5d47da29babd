/**
 * How one kind of task is done. An executor may lose its work at any moment and be asked again, on another machine: what it writes
 * to the media store has names that depend on the task alone. It starts no process that outlives its promise.
 */
import type { ResultOf, SpecOf, TaskFailure, TaskKind, TaskResult } from '@millrace/api';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { Result } from '@millrace/result';

/** What a task is given besides its spec. */
export interface TaskContext {
  /** Aborts when the task is to stop: the executor ends its processes, then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Absolute path of an empty private folder, removed in every ending. Processes that outlive a killed worker are found by it. */
  readonly scratch: string;
  readonly store: MediaStore;
  /** How far it is, 0..1, and what it does when the step's words do not say it. As often as it likes; what is less is ignored. */
  report(done: number, phase?: string): void;
  readonly log: Logger;
  /** Results of the tasks that this one waited for, in the order of the plan. */
  readonly inputs: readonly TaskResult[];
}

/**
 * Does one task. A failure that is expected is returned, with a reason for the user; what is thrown becomes a retryable failure
 * `worker-error`; an abort rejects with the signal's reason.
 */
export type TaskExecutor<K extends TaskKind> = (
  spec: SpecOf<K>,
  context: TaskContext,
) => Promise<Result<ResultOf<K>, TaskFailure>>;

/** What this worker can do. A kind without an executor is not leased. */
export type TaskExecutors = { readonly [K in TaskKind]?: TaskExecutor<K> };

/** How the run of a task came out, and what progress is told of it. Pure. */
import type { TaskEnd, TaskFailure, TaskResult } from '@millrace/api';
import { assertNever, type Result } from '@millrace/result';
import type { LeaseKey } from './lease-book.ts';

/** Why a task was told to stop. */
export type StopReason =
  /** Its job was cancelled. */
  | 'cancelled'
  /** Progress says that the lease is not this worker's any more. */
  | 'lost'
  /** Progress could not be reached for as long as a lease lives. */
  | 'lapsed'
  /** This worker stops. */
  | 'draining'
  /** Scratch space is over its limit, and this task has the most of it. */
  | 'scratch-full';

/** What the executor did. */
export type Settled =
  | { readonly kind: 'returned'; readonly result: Result<TaskResult, TaskFailure> }
  | { readonly kind: 'threw'; readonly message: string };

/** What is said of a task; undefined: nothing, as nobody listens to this lease any more. */
export function endOf(key: LeaseKey, settled: Settled, stopped: StopReason | undefined): TaskEnd | undefined {
  const held = { task_id: key.task_id, fence: key.fence };
  if (stopped === 'lost' || stopped === 'lapsed') return undefined;
  // Work that was finished all the same is not thrown away, unless nobody wants it.
  if (stopped === 'cancelled') return { ...held, kind: 'stopped' };
  if (settled.kind === 'returned') {
    const { result } = settled;
    if (result.ok) return { ...held, kind: 'done', result: result.value };
    if (stopped === undefined) return { ...held, kind: 'failed', failure: bounded(result.error) };
  }
  switch (stopped) {
    case 'draining':
      return { ...held, kind: 'returned' };
    case 'scratch-full':
      return { ...held, kind: 'failed', failure: scratchFull };
    case undefined: {
      const message = settled.kind === 'threw' ? settled.message : 'ended without a word';
      return { ...held, kind: 'failed', failure: workerError(message) };
    }
    default:
      return assertNever(stopped);
  }
}

const scratchFull: TaskFailure = {
  code: 'scratch-full',
  reason: 'the worker has no scratch space left for it',
  retryable: true,
};

function workerError(message: string): TaskFailure {
  return bounded({ code: 'worker-error', reason: `the worker failed: ${message}`, retryable: true });
}

/** Progress refused the end itself, as one that is too large or not of its schema: the task cannot be done by repeating it. */
export function refusedEnd(key: LeaseKey, message: string): TaskEnd {
  const failure = bounded({
    code: 'result-refused',
    reason: `the result was not accepted: ${message}`,
    retryable: false,
  });
  return { task_id: key.task_id, fence: key.fence, kind: 'failed', failure };
}

function bounded({ code, reason, retryable }: TaskFailure): TaskFailure {
  return { code: code.slice(0, 64), reason: reason.slice(0, 2_000), retryable };
}

/** A composition as it is stored. Times are ms since 1970 unless they are of a video. */
import type { JobError, JobStatus } from '@millrace/api';

/** One video in its place, and the part of it that is taken: ms of its own timeline; undefined: from its beginning, to its end. */
export interface CompositionItem {
  readonly videoId: string;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
}

/** The video that came of it, as it was then. */
export interface CompositionOutput {
  readonly videoId: string;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly method: 'copy' | 'encode';
}

export interface CompositionRecord {
  readonly compositionId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly items: readonly CompositionItem[];
  readonly taskId: string;
  readonly status: JobStatus;
  /** Where it ended; while it runs the job knows. 0..100. */
  readonly progress: number;
  readonly error: JobError | undefined;
  readonly output: CompositionOutput | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly finishedAtMs: number | undefined;
}

export type NewComposition = Pick<CompositionRecord, 'compositionId' | 'ownerId' | 'title' | 'items' | 'taskId'>;

/** A composition that waits for its job. */
export function newComposition(input: NewComposition, nowMs: number): CompositionRecord {
  return {
    ...input,
    status: 'pending',
    progress: 0,
    error: undefined,
    output: undefined,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    finishedAtMs: undefined,
  };
}

/** Whether its job waits or runs. */
export function isOpen({ status }: Pick<CompositionRecord, 'status'>): boolean {
  return status === 'pending' || status === 'processing';
}

import type { JobKind } from '@millrace/events';
import type { IdSource } from '@millrace/ids';
import type { RetryPolicy } from '@millrace/job';
import type { JobEndStatus } from './job-desk.ts';
import type { JobTypes } from './job-types.ts';
import type { ProgressStore } from './store.ts';
import type { Stop } from './task-rows.ts';

/**
 * What wakes others, after a commit. Hints may get lost (with the process that would have given them): whoever waits for one also
 * looks by itself now and then.
 */
export interface Hints {
  /** Tasks became ready. */
  work(): void;
  /** Stop orders are out. */
  stop(stops: readonly Stop[]): void;
  ended(jobId: string, status: JobEndStatus): void;
  /** Tasks of these jobs moved: their progress is to be counted anew. */
  moved(jobIds: readonly string[]): void;
}

/** What is counted of the engine. */
export interface EngineCounts {
  submitted(kind: JobKind, outcome: 'accepted' | 'conflict' | 'quota' | 'replaced'): void;
  ended(kind: JobKind, status: JobEndStatus): void;
  attempt(outcome: 'done' | 'failed' | 'stopped' | 'returned' | 'lapsed'): void;
  refused(reason: 'unknown-task' | 'older-fence' | 'other-worker' | 'not-leased' | 'stop-overdue'): void;
}

export interface EngineLimits {
  /** Jobs of one owner that wait or run. */
  readonly maxOpen: number;
  /** Jobs of one owner that run at once. */
  readonly maxProcessing: number;
  /** How long a lease lives without a report, ms. */
  readonly leaseMs: number;
  readonly retry: RetryPolicy;
}

/** What the parts of the engine need. */
export interface EngineDeps {
  readonly store: ProgressStore;
  readonly types: JobTypes;
  readonly clock: { nowMs(): number };
  readonly idSource: IdSource;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: EngineLimits;
  readonly hints: Hints;
  readonly counts: EngineCounts;
  /** What jobs of the kind usually take, ms; undefined: not known yet. */
  readonly usualMs: (kind: JobKind) => number | undefined;
}

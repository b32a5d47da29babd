/** A job and its steps as they are stored. Times are ms since 1970, progress is in percent. */
import type { StepStatus } from '@millrace/api';
import type { JobKind } from '@millrace/events';
import type { JobState, Pace } from '@millrace/job';
import type { JobSummary, Priority } from './job-desk.ts';

/** What never changes of a job. */
export interface JobIdentity {
  readonly jobId: string;
  readonly kind: JobKind;
  readonly subject: string;
  readonly ownerId: string;
  readonly priority: Priority;
  readonly request: unknown;
  readonly createdAtMs: number;
}

export interface JobError {
  readonly step: string | null;
  readonly code: string;
  readonly reason: string;
}

export interface JobRecord extends JobIdentity {
  readonly status: JobState;
  /** A cancel was asked for; it is `cancelled` when its last lease has ended. */
  readonly cancelling: boolean;
  /** Stop orders are out, after a cancel or a failure, and a lease lives yet. */
  readonly draining: boolean;
  /** Waits until the draining job of its slot is gone. */
  readonly blocked: boolean;
  readonly progress: number;
  readonly phase: string | undefined;
  readonly pace: Pace | undefined;
  readonly error: JobError | undefined;
  readonly startedAtMs: number | undefined;
  readonly updatedAtMs: number;
  readonly finishedAtMs: number | undefined;
}

export interface StepRecord {
  readonly jobId: string;
  /** From 0, in the order of the plan. */
  readonly place: number;
  readonly name: string;
  /** As planned. */
  readonly weight: number;
  /** Words shown while it runs. */
  readonly phase: string;
  readonly status: StepStatus;
  readonly progress: number;
  readonly reason: string | undefined;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
}

/** Facts of a job's life count its runs; a job runs once. */
export const onlyAttempt = 1;

/** The job as its subject's owner sees it. */
export function summaryOf(job: JobRecord): JobSummary {
  return {
    jobId: job.jobId,
    kind: job.kind,
    subject: job.subject,
    ownerId: job.ownerId,
    request: job.request,
    status: job.status,
    cancelling: job.cancelling,
    progress: job.progress,
    error: job.error,
    createdAtMs: job.createdAtMs,
    updatedAtMs: job.updatedAtMs,
  };
}

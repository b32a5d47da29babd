import type { JobAttempt, TaskProgressResponse } from '@millrace/api';
import { etaOf, shownSteps } from './job-fold.ts';
import type { JobRecord, StepRecord } from './job-record.ts';

/** The whole of a job, every field in every state. */
export function showJob(
  job: JobRecord,
  steps: readonly StepRecord[],
  attempts: readonly JobAttempt[],
  usualMs: number | undefined,
  nowMs: number,
): TaskProgressResponse {
  const eta = etaOf(job, usualMs, nowMs);
  return {
    task_id: job.jobId,
    kind: job.kind,
    subject: job.subject,
    owner_id: job.ownerId,
    status: job.status,
    cancelling: job.cancelling,
    progress: job.progress,
    phase: job.phase ?? null,
    steps: shownSteps(steps).map((step, at) => ({
      ...step,
      reason: steps[at]?.reason ?? null,
      started_at: optionalTime(steps[at]?.startedAtMs),
      finished_at: optionalTime(steps[at]?.finishedAtMs),
    })),
    eta_ms: eta?.etaMs ?? null,
    eta_basis: eta?.basis ?? null,
    attempts: [...attempts],
    error: job.error === undefined ? null : { ...job.error },
    created_at: time(job.createdAtMs),
    started_at: optionalTime(job.startedAtMs),
    updated_at: time(job.updatedAtMs),
    finished_at: optionalTime(job.finishedAtMs),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function optionalTime(ms: number | undefined): string | null {
  return ms === undefined ? null : time(ms);
}

import { type NewRecord, record } from '@millrace/eventlog';
import { type JobFact, jobsTopic } from '@millrace/events';
import { assertNever } from '@millrace/result';
import { etaOf, shownSteps } from './job-fold.ts';
import { type JobRecord, onlyAttempt, type StepRecord } from './job-record.ts';

function common(job: JobRecord) {
  return {
    job_id: job.jobId,
    owner_id: job.ownerId,
    kind: job.kind,
    subject: job.subject,
    at_ms: job.updatedAtMs,
  };
}

export function jobQueued(job: JobRecord): NewRecord<JobFact> {
  return record(jobsTopic, { ...common(job), type: 'JobQueued' });
}

export function jobStarted(job: JobRecord): NewRecord<JobFact> {
  return record(jobsTopic, { ...common(job), type: 'JobStarted', attempt: onlyAttempt });
}

export function jobProgressed(
  job: JobRecord,
  steps: readonly StepRecord[],
  usualMs: number | undefined,
): NewRecord<JobFact> {
  const eta = etaOf(job, usualMs, job.updatedAtMs);
  return record(jobsTopic, {
    ...common(job),
    type: 'JobProgressed',
    attempt: onlyAttempt,
    progress: job.progress,
    phase: job.phase ?? '',
    ...(eta === undefined ? {} : { eta_ms: eta.etaMs }),
    steps: [...shownSteps(steps)],
  });
}

/** The fact of the end that `job` has come to. */
export function jobEnded(job: JobRecord): NewRecord<JobFact> {
  const { status } = job;
  switch (status) {
    case 'completed':
      return record(jobsTopic, { ...common(job), type: 'JobCompleted' });
    case 'cancelled':
      return record(jobsTopic, { ...common(job), type: 'JobCancelled' });
    case 'failed': {
      const step = job.error?.step ?? undefined;
      const reason = job.error?.reason ?? '';
      return record(jobsTopic, { ...common(job), type: 'JobFailed', ...(step === undefined ? {} : { step }), reason });
    }
    case 'pending':
    case 'processing':
      throw new Error(`job ${job.jobId}: expected an end, it is ${status}`);
    default:
      return assertNever(status);
  }
}

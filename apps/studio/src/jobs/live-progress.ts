/**
 * A job as the API told it, brought up to date by what the hub says. The hub is quick but brief: reasons, attempts and whether a
 * cancel is under way come from the API alone. Pure.
 */
import type { HubJob } from '@millrace/api';
import type { JobStatus } from '../routing/media-view.ts';
import type { TaskProgress } from './job-resources.ts';

export function isActive(status: JobStatus): boolean {
  return status === 'pending' || status === 'processing';
}

/** What both know of one job. What ended stays ended, and progress of a job never goes back, whoever tells it. */
export function withHubJob(told: TaskProgress, job: HubJob | undefined): TaskProgress {
  if (job === undefined || told.task_id !== job.job_id) return told;
  if (!isActive(told.status)) return told;
  const newer = Date.parse(job.updated_at) >= Date.parse(told.updated_at);
  if (!newer && isActive(job.status)) return { ...told, progress: Math.max(told.progress, job.progress) };
  const steps = job.steps?.map((step) => {
    const before = told.steps.find(({ name }) => name === step.name);
    return { ...step, reason: before?.reason ?? null };
  });
  return {
    ...told,
    status: told.status === 'processing' && job.status === 'pending' ? told.status : job.status,
    cancelling: told.cancelling && isActive(job.status),
    progress: Math.max(told.progress, job.progress),
    phase: job.phase ?? told.phase,
    eta_ms: job.eta_ms,
    steps: steps ?? told.steps,
    updated_at: job.updated_at,
  };
}

/** The newest of the jobs about `subject`, of the given kind. */
export function newestJobOf(
  jobs: ReadonlyMap<string, HubJob> | undefined,
  kind: string,
  subject: string,
): HubJob | undefined {
  let newest: HubJob | undefined;
  for (const job of jobs?.values() ?? []) {
    if (job.kind !== kind || job.subject !== subject) continue;
    // Ids rise with time.
    if (newest === undefined || job.job_id > newest.job_id) newest = job;
  }
  return newest;
}

/** How far a job is and what it does, in few words for screen readers and rows. */
export function progressWords(
  job: Pick<TaskProgress, 'status' | 'progress' | 'phase' | 'eta_ms' | 'cancelling'>,
): string {
  if (job.cancelling) return 'Stopping';
  if (job.status === 'pending') return 'Waiting for a worker';
  if (job.status !== 'processing') return statusWords[job.status];
  return job.phase === null || job.phase === '' ? 'Processing' : capitalised(job.phase);
}

export const statusWords: Readonly<Record<JobStatus, string>> = {
  pending: 'Waiting',
  processing: 'Processing',
  completed: 'Ready',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `about 2 min left`; nothing without an estimate. */
export function etaWords(etaMs: number | null): string {
  if (etaMs === null) return '';
  if (etaMs < 5_000) return 'a few seconds left';
  if (etaMs < 55_000) return `about ${Math.ceil(etaMs / 5_000) * 5} s left`;
  if (etaMs < 3_600_000) return `about ${Math.max(1, Math.round(etaMs / 60_000))} min left`;
  return `about ${(etaMs / 3_600_000).toFixed(1)} h left`;
}

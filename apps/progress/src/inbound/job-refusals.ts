/** Why a job is not accepted, in the words of the API. */
import { ProblemError, problem } from '@millrace/http';
import type { JobSummary } from '../core/job-desk.ts';

/** The owner's quota of jobs is used up. */
export function tooManyJobs({ limit, active }: { readonly limit: number; readonly active: number }): ProblemError {
  const detail = `expected at most ${limit} jobs of one owner that wait or run, there are ${active}`;
  return new ProblemError(problem(429, 'too-many-jobs', 'Too many jobs', { detail }), { 'retry-after': '30' });
}

/** Another run has the slot; `statusUrl` tells how far it is, `title` what is going on. */
export function runActive(
  active: Pick<JobSummary, 'jobId' | 'status'>,
  { title, statusUrl }: { readonly title: string; readonly statusUrl: string },
): ProblemError {
  const detail = `task ${active.jobId} is ${active.status}: wait for it, cancel it, or give force`;
  const value = problem(409, 'task-active', title, { detail, task_id: active.jobId, status_url: statusUrl });
  return new ProblemError(value, { location: statusUrl });
}

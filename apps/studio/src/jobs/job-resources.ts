/** Jobs as /api/v1 tells of them, as far as the studio shows them. */
import { choice, list, nullable, number, object, type Read, text, truth } from '../api/wire.ts';
import { jobStatuses } from '../routing/media-view.ts';

const stepStatuses = ['pending', 'processing', 'completed', 'skipped', 'failed', 'cancelled'] as const;
export type StepStatus = (typeof stepStatuses)[number];
export const readJobStatus = choice(jobStatuses);

export const readJobError = object({ step: nullable(text), code: text, reason: text });
export type JobError = Read<typeof readJobError>;

export const readStep = object({
  name: text,
  weight: number,
  status: choice(stepStatuses),
  progress: number,
  reason: nullable(text),
});
export type JobStep = Read<typeof readStep>;

const readAttempt = object({
  step: text,
  task_id: text,
  fence: number,
  worker_id: text,
  started_at: text,
  ended_at: nullable(text),
  outcome: text,
  reason: nullable(text),
});
export type JobAttempt = Read<typeof readAttempt>;

export const readTaskProgress = object({
  task_id: nullable(text),
  status: readJobStatus,
  cancelling: truth,
  progress: number,
  phase: nullable(text),
  steps: list(readStep),
  eta_ms: nullable(number),
  eta_basis: nullable(text),
  attempts: list(readAttempt),
  error: nullable(readJobError),
  started_at: nullable(text),
  updated_at: text,
  finished_at: nullable(text),
});
export type TaskProgress = Read<typeof readTaskProgress>;

/** The 202 of a call that starts a job. */
export const readAccepted = object({ task_id: text, status: readJobStatus });
export type Accepted = Read<typeof readAccepted>;

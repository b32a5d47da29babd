/** Jobs in REST: what is answered at once, and what is asked for while they run. */
import { jobKinds } from '@millrace/events';
import { z } from 'zod';
import { timeSchema } from './page.ts';
import { ownerIdSchema } from './stream.ts';

const idBody = '[0-7][0-9a-hjkmnp-tv-z]{25}';
/** An id of a kind of its own in REST. */
export const mediaIdSchema = (prefix: 'vid' | 'job' | 'cmp' | 'upl' | 'hook') =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_${idBody}$`))
    .meta({ example: `${prefix}_01jd4000000000000000000000` });
export const jobIdSchema = mediaIdSchema('job');
export const videoIdSchema = mediaIdSchema('vid');
export const compositionIdSchema = mediaIdSchema('cmp');

/** pending -> processing -> completed | failed | cancelled; pending -> failed | cancelled. */
export const jobStatusSchema = z
  .enum(['pending', 'processing', 'completed', 'failed', 'cancelled'])
  .meta({ id: 'JobStatus' });
export type JobStatus = z.infer<typeof jobStatusSchema>;

export const stepStatusSchema = z
  .enum(['pending', 'processing', 'completed', 'skipped', 'failed', 'cancelled'])
  .meta({ id: 'StepStatus' });
export type StepStatus = z.infer<typeof stepStatusSchema>;

/** The 202 of every call that starts a job; `Location` leads to `status_url`. */
export const asyncTaskResponseSchema = z
  .object({
    task_id: jobIdSchema,
    kind: z.enum(jobKinds),
    status: jobStatusSchema,
    progress: z.number().min(0).max(100),
    status_url: z.string(),
    created_at: timeSchema,
  })
  .meta({ id: 'AsyncTaskResponse' });
export type AsyncTaskResponse = z.infer<typeof asyncTaskResponseSchema>;

export const subTaskProgressSchema = z
  .object({
    name: z.string(),
    weight: z.number().min(0).max(100).meta({ description: 'Share of the whole; all weights sum to 100.' }),
    status: stepStatusSchema,
    progress: z.number().min(0).max(100),
    reason: z.string().nullable().meta({ description: 'Why it failed or was skipped.' }),
    started_at: timeSchema.nullable(),
    finished_at: timeSchema.nullable(),
  })
  .meta({ id: 'SubTaskProgress' });
export type SubTaskProgress = z.infer<typeof subTaskProgressSchema>;

export const jobErrorSchema = z
  .object({
    step: z.string().nullable(),
    code: z.string(),
    reason: z.string(),
  })
  .meta({ id: 'JobError' });
export type JobError = z.infer<typeof jobErrorSchema>;

export const jobAttemptSchema = z
  .object({
    step: z.string(),
    task_id: z.string(),
    fence: z.int(),
    worker_id: z.string(),
    started_at: timeSchema,
    ended_at: timeSchema.nullable(),
    outcome: z.enum(['running', 'done', 'failed', 'stopped', 'returned', 'lapsed']),
    reason: z.string().nullable(),
  })
  .meta({ id: 'JobAttempt' });
export type JobAttempt = z.infer<typeof jobAttemptSchema>;

/** Everything there is to say of a job's progress. Every field is there in every state. */
export const taskProgressResponseSchema = z
  .object({
    task_id: jobIdSchema.nullable().meta({ description: 'Null: nothing was ever started.' }),
    kind: z.enum(jobKinds).nullable(),
    subject: z.string().meta({ description: 'Id of the video or composition, or name of the image.' }),
    owner_id: ownerIdSchema,
    status: jobStatusSchema,
    cancelling: z.boolean().meta({ description: 'A cancel was asked for and its processes are being stopped.' }),
    progress: z.number().min(0).max(100),
    phase: z.string().nullable().meta({ description: 'What it does now, in words.' }),
    steps: z.array(subTaskProgressSchema),
    eta_ms: z.int().nullable(),
    eta_basis: z
      .enum(['this-run', 'earlier-runs'])
      .nullable()
      .meta({ description: 'What the estimate rests on; null without one.' }),
    attempts: z.array(jobAttemptSchema).meta({ description: 'The newest 50 leases of its parts.' }),
    error: jobErrorSchema.nullable(),
    created_at: timeSchema.nullable(),
    started_at: timeSchema.nullable(),
    updated_at: timeSchema,
    finished_at: timeSchema.nullable(),
  })
  .meta({ id: 'TaskProgressResponse' });
export type TaskProgressResponse = z.infer<typeof taskProgressResponseSchema>;

import { z } from 'zod';
import { dayMs, defineTopic } from './topic.ts';

export const jobKinds = ['process', 'compose', 'image-video'] as const;
export type JobKind = (typeof jobKinds)[number];

const common = {
  job_id: z.string(),
  owner_id: z.string(),
  kind: z.enum(jobKinds),
  /** What the job makes or changes: a video, a composition, an image name. */
  subject: z.string(),
  at_ms: z.int(),
};
const progressed = {
  /** Overall, 0..100, never less than before. */
  progress: z.number().min(0).max(100),
  /** What it does now, in words. */
  phase: z.string(),
  eta_ms: z.int().optional(),
};

const jobFact = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('JobQueued') }),
  z.object({ ...common, type: z.literal('JobStarted'), attempt: z.int() }),
  z.object({ ...common, ...progressed, type: z.literal('JobProgressed'), attempt: z.int() }),
  z.object({ ...common, type: z.literal('JobCompleted') }),
  z.object({ ...common, type: z.literal('JobFailed'), step: z.string().optional(), reason: z.string() }),
  z.object({ ...common, type: z.literal('JobCancelled') }),
]);
export type JobFact = z.infer<typeof jobFact>;

/** The life of every job, in order. */
export const jobsTopic = defineTopic<JobFact>({
  name: 'media.jobs.v1',
  kind: 'facts',
  schema: jobFact,
  key: (value) => value.job_id,
  retentionMs: 30 * dayMs,
  doc: 'Jobs from queued to their end, written by the service that owns them.',
});

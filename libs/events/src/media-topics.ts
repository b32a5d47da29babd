import { z } from 'zod';
import { visibilitySchema } from './control-topics.ts';
import { dayMs, defineTopic, keepForever } from './topic.ts';

export const jobKinds = ['process', 'compose', 'image-video', 'thumbnail'] as const;
export type JobKind = (typeof jobKinds)[number];

/** Work of the house, which belongs to no user: nobody follows it or is told of it. */
export function isHouseWork(kind: JobFact['kind']): kind is 'thumbnail' {
  return kind === 'thumbnail';
}

const common = {
  /** Of an import: `imp_` and the rest of the video's id. */
  job_id: z.string(),
  owner_id: z.string(),
  /** `import` is no job of workers: progress fetches the original of a video itself, and tells of it in the same words. */
  kind: z.enum([...jobKinds, 'import']),
  /** What the job makes or changes: a video, a composition, an image name. */
  subject: z.string(),
  at_ms: z.int(),
};
/** A step of a job as everybody may see it. Weights of a job's steps sum to 100. */
const jobStep = z.object({
  name: z.string(),
  weight: z.number(),
  status: z.enum(['pending', 'processing', 'completed', 'skipped', 'failed', 'cancelled']),
  /** 0..100. */
  progress: z.number().min(0).max(100),
});
export type JobStep = z.infer<typeof jobStep>;

const progressed = {
  /** Overall, 0..100, never less than before. */
  progress: z.number().min(0).max(100),
  /** What it does now, in words. */
  phase: z.string(),
  eta_ms: z.int().optional(),
  steps: z.array(jobStep).optional(),
  /** Of an import: what has come of the whole; `total` null: its server does not say. */
  bytes: z.object({ received: z.int(), total: z.int().nullable() }).optional(),
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

const video = z.object({
  video_id: z.string(),
  owner_id: z.string(),
  playback_id: z.string(),
  title: z.string(),
  visibility: visibilitySchema,
  status: z.enum(['pending', 'processing', 'completed', 'failed', 'cancelled']),
  /**
   * Folder of the media store with what can be played now, `videos/{video_id}/{asset id}`; beside it `.m3u8` and, for a whole
   * ladder, `.mpd`. Null: nothing yet. During the first run it appears with the first rung.
   */
  asset: z.string().nullable(),
  /** Whether the asset is complete; until then its playlists may still be replaced. */
  complete: z.boolean(),
  duration_ms: z.int().nullable(),
  /** Key of the MP4 to download, if there is one. */
  file: z.string().nullable(),
  updated_at_ms: z.int(),
});
export type VideoState = z.infer<typeof video>;

/** Every video that can be asked for; a tombstone once it was deleted. Delivery plays from it. */
export const videosTopic = defineTopic<VideoState>({
  name: 'media.videos.v1',
  kind: 'state',
  schema: video,
  key: (value) => value.video_id,
  retentionMs: keepForever,
  doc: 'Whole state of every video, written by progress.',
});

const imageVideo = z.object({
  img_name: z.string(),
  owner_id: z.string(),
  source_type: z.string(),
  has_video: z.boolean(),
  video_status: z.enum(['none', 'pending', 'processing', 'completed', 'failed']),
  video_id: z.string().nullable(),
  updated_at_ms: z.int(),
});
export type ImageVideoState = z.infer<typeof imageVideo>;

/** Every image and what became of its video. */
export const imagesTopic = defineTopic<ImageVideoState>({
  name: 'media.images.v1',
  kind: 'state',
  schema: imageVideo,
  key: (value) => value.img_name,
  retentionMs: keepForever,
  doc: 'Whole state of every image and its video, written by progress.',
});

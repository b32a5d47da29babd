/** Videos in REST. */
import { visibilitySchema } from '@millrace/events';
import { z } from 'zod';
import { jobErrorSchema, jobIdSchema, jobStatusSchema, videoIdSchema } from './job.ts';
import { mediaFactsSchema } from './media-file.ts';
import { pageOf, pageQuerySchema, timeSchema } from './page.ts';
import { ownerIdSchema, playbackIdSchema, titleSchema } from './stream.ts';

/** Steps of the processing pipeline, in order, with their default weights. */
export const processingSteps = { probe: 5, audio: 10, subtitles: 20, poster: 10, ladder: 50, publish: 5 } as const;
export type ProcessingStep = keyof typeof processingSteps;
const processingStepSchema = z.enum(Object.keys(processingSteps) as [ProcessingStep, ...ProcessingStep[]]);

export const videoOriginSchema = z.enum(['upload', 'import', 'composition', 'image', 'recording']);

export const videoSchema = z
  .object({
    video_id: videoIdSchema,
    playback_id: playbackIdSchema,
    owner_id: ownerIdSchema,
    title: titleSchema,
    visibility: visibilitySchema,
    origin: videoOriginSchema,
    status: jobStatusSchema.meta({ description: 'Of its newest run; `pending` before the first.' }),
    source_state: z
      .enum(['uploading', 'importing', 'ready', 'failed'])
      .meta({ description: 'Whether the original is here.' }),
    source_progress: z
      .object({ received_bytes: z.int(), total_bytes: z.int().nullable() })
      .nullable()
      .meta({ description: 'While it is importing: what has come; `total_bytes` null: its server does not say.' }),
    language: z.string().nullable(),
    media: mediaFactsSchema.nullable(),
    size_bytes: z.int().nullable(),
    current_task_id: jobIdSchema.nullable(),
    progress: z.number().min(0).max(100),
    error: jobErrorSchema.nullable(),
    playback: z
      .object({
        hls_url: z.string(),
        dash_url: z.string().nullable(),
        poster_url: z.string().nullable(),
        storyboard_url: z.string().nullable(),
        file_url: z.string().nullable(),
        subtitles: z.array(z.object({ language: z.string(), url: z.string() })),
        complete: z.boolean().meta({ description: 'False: only the first rung yet.' }),
      })
      .nullable()
      .meta({ description: 'Null until something can be played; of a private video the URLs need a playback token.' }),
    created_at: timeSchema,
    updated_at: timeSchema,
  })
  .meta({ id: 'Video' });
export type Video = z.infer<typeof videoSchema>;
export const videoPageSchema = pageOf('VideoPage', videoSchema);
export type VideoPage = z.infer<typeof videoPageSchema>;

export const videoListQuerySchema = pageQuerySchema.extend({
  status: jobStatusSchema.optional(),
  origin: videoOriginSchema.optional(),
  /** Part of the title, without regard to case. */
  title: z.string().max(200).optional(),
});

const language = z
  .string()
  .regex(/^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$/, 'a BCP 47 language tag')
  .max(35);

/** `POST /videos`: with `url` it is imported from there; without, the answer names the upload's URL (tus). */
export const videoInputSchema = z
  .strictObject({
    title: titleSchema,
    visibility: visibilitySchema.default('public'),
    language: language.optional().meta({ description: 'Spoken language, for the subtitles.' }),
    url: z.url().max(4_096).optional(),
    process: z.boolean().default(true).meta({ description: 'Start processing once the original is here.' }),
  })
  .meta({ id: 'VideoInput' });
export type VideoInput = z.input<typeof videoInputSchema>;

export const createdVideoSchema = z
  .object({
    video: videoSchema,
    upload_url: z
      .string()
      .nullable()
      .meta({ description: 'Where a tus client creates the upload; null for an import.' }),
  })
  .meta({ id: 'CreatedVideo' });
export type CreatedVideo = z.infer<typeof createdVideoSchema>;

export const videoPatchSchema = z
  .strictObject({
    title: titleSchema.optional(),
    visibility: visibilitySchema.optional(),
    language: language.nullable().optional(),
  })
  .meta({ id: 'VideoPatch' });
export type VideoPatch = z.infer<typeof videoPatchSchema>;

export const videoStatusSchema = z
  .object({
    video_id: videoIdSchema,
    status: jobStatusSchema,
    current_task_id: jobIdSchema.nullable(),
    progress: z.number().min(0).max(100),
    error: jobErrorSchema.nullable(),
    updated_at: timeSchema,
  })
  .meta({ id: 'VideoStatus' });
export type VideoStatus = z.infer<typeof videoStatusSchema>;

export const runInputSchema = z
  .strictObject({
    force: z.boolean().default(false).meta({ description: 'Cancel what runs, wait until it is gone, then start.' }),
    priority: z.enum(['low', 'normal', 'high']).default('normal'),
  })
  .meta({ id: 'RunInput' });
export type RunInput = z.input<typeof runInputSchema>;

export const reprocessInputSchema = runInputSchema
  .extend({
    steps: z
      .array(processingStepSchema)
      .min(1)
      .optional()
      .meta({ description: 'Only these, with what they need; default all. `["subtitles"]` makes new subtitles only.' }),
  })
  .meta({ id: 'ReprocessInput' });
export type ReprocessInput = z.input<typeof reprocessInputSchema>;

/** Images and the videos made from them, in REST. */
import { visibilitySchema } from '@millrace/events';
import { z } from 'zod';
import { jobIdSchema } from './job.ts';
import { pageOf, pageQuerySchema, timeSchema } from './page.ts';
import { ownerIdSchema, titleSchema } from './stream.ts';

/** Unique in the installation: letters, digits, `.`, `_`, `-`; not starting with a dot. */
export const imageNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/, 'an image name of letters, digits, ".", "_", "-"')
  .meta({ example: 'sunset-01.jpg' });
export const sourceTypeSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'a source type such as upload, generated, scan')
  .meta({ example: 'upload' });

export const imageVideoStatusSchema = z
  .enum(['none', 'pending', 'processing', 'completed', 'failed'])
  .meta({ id: 'ImageVideoStatus' });
export type ImageVideoStatus = z.infer<typeof imageVideoStatusSchema>;

export const motionSchema = z.enum([
  'still',
  'pan-left',
  'pan-right',
  'pan-up',
  'pan-down',
  'zoom-in',
  'zoom-out',
  'ken-burns',
]);

export const videoStatusResponseSchema = z
  .object({
    img_name: imageNameSchema,
    has_video: z.boolean(),
    video_status: imageVideoStatusSchema,
    video_filename: z.string().nullable(),
    source_type: sourceTypeSchema,
    progress: z.number().min(0).max(100),
    task_id: jobIdSchema.nullable(),
    video_id: z.string().nullable(),
    video_url: z.string().nullable(),
    error: z.string().nullable(),
    created_at: timeSchema,
    updated_at: timeSchema,
    video_started_at: timeSchema.nullable(),
    video_finished_at: timeSchema.nullable(),
  })
  .meta({ id: 'VideoStatusResponse' });
export type VideoStatusResponse = z.infer<typeof videoStatusResponseSchema>;

const pictureStateSchema = z.enum(['none', 'importing', 'ready', 'failed']).meta({
  id: 'PictureState',
  description: '`none`: registered by name only; `importing`: on its way from its URL; `failed`: it did not come.',
});
export type PictureState = z.infer<typeof pictureStateSchema>;

export const imageSchema = z
  .object({
    ...videoStatusResponseSchema.shape,
    owner_id: ownerIdSchema,
    image_url: z.string().nullable().meta({ description: 'Null while there is no picture.' }),
    thumbnail_url: z.string().nullable().meta({
      description: 'A small WebP of the picture, upright; null until it is made, shortly after the picture has come.',
    }),
    picture_state: pictureStateSchema,
    picture_error: z.string().nullable().meta({ description: 'Why the picture did not come; while `failed`.' }),
    width: z.int().nullable(),
    height: z.int().nullable(),
    size_bytes: z.int().nullable(),
    prompt: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()),
    content_type: z.string().nullable().meta({ description: 'Of the picture.' }),
    video_parameters: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What its newest video was asked to be; null: none was ever asked for.' }),
  })
  .meta({ id: 'Image' });
export type Image = z.infer<typeof imageSchema>;
export const imagePageSchema = pageOf('ImagePage', imageSchema);
export type ImagePage = z.infer<typeof imagePageSchema>;

const nameCursor = {
  cursor: z
    .string()
    .regex(/^n[A-Za-z0-9_-]{2,172}$/, 'a next_cursor of an earlier page')
    .optional()
    .meta({ description: '`next_cursor` of the page before.' }),
};

/** Pages of images go by name, from the first. */
export const imageListQuerySchema = pageQuerySchema.extend({
  ...nameCursor,
  video_status: imageVideoStatusSchema.optional(),
  source_type: sourceTypeSchema.optional(),
  has_video: z.enum(['true', 'false']).optional(),
  name: z.string().max(128).optional().meta({ description: 'Beginning of the name.' }),
});

/** `POST /images`: JSON registers (by `url`, or by name alone), a body of `image/*` with `?img_name=` uploads. */
export const imageInputSchema = z
  .strictObject({
    img_name: imageNameSchema,
    source_type: sourceTypeSchema.default('upload'),
    url: z.url().max(4_096).optional().meta({
      description: 'Where the picture is fetched from, after the answer; `picture_state` says what became of it.',
    }),
    prompt: z.string().max(4_000).optional(),
    parameters: z.record(z.string().max(64), z.unknown()).default({}),
  })
  .meta({ id: 'ImageInput' });
export type ImageInput = z.input<typeof imageInputSchema>;

export const imageVideoInputSchema = z
  .strictObject({
    motion: motionSchema.default('ken-burns'),
    duration_ms: z.int().min(500).max(600_000).default(5_000),
    width: z.int().min(64).max(3_840).multipleOf(2).default(1_280),
    height: z.int().min(64).max(2_160).multipleOf(2).default(720),
    frames_per_second: z.number().min(10).max(60).default(30),
    audio_video_id: z.string().optional().meta({ description: 'A video whose sound is played under the picture.' }),
    caption: z.string().max(500).optional(),
    fill: z.enum(['crop', 'blur']).default('crop').meta({
      description: 'A picture of another shape is cut to fill the frame, or shown whole over a blurred copy.',
    }),
    title: titleSchema.optional().meta({ description: 'Of the video; default: the name of the image.' }),
    visibility: visibilitySchema.default('public').meta({ description: 'Of the video, when there is none yet.' }),
    priority: z.enum(['low', 'normal', 'high']).default('normal'),
    provider: z.string().max(64).default('local').meta({ description: '`local`, or an external generator by name.' }),
    prompt: z.string().max(4_000).optional(),
    force: z.boolean().default(false),
  })
  .meta({ id: 'ImageVideoInput' });
export type ImageVideoInput = z.input<typeof imageVideoInputSchema>;

export const hasVideoSchema = z.object({ img_name: imageNameSchema, has_video: z.boolean() }).meta({ id: 'HasVideo' });

export const imageStatusBatchInputSchema = z
  .strictObject({ img_names: z.array(imageNameSchema).min(1).max(1_000) })
  .meta({ id: 'ImageStatusBatchInput' });
export const imageStatusBatchSchema = z
  .object({
    items: z.array(videoStatusResponseSchema),
    unknown: z.array(z.string()).meta({ description: 'Names that no image of yours has.' }),
  })
  .meta({ id: 'ImageStatusBatch' });

/** Every change of an image's video status, the newest first; of each image the newest 1,000 are kept. */
export const imageHistorySchema = z
  .object({
    items: z.array(
      z.object({
        change: z.int().meta({ description: 'Counts the changes of the image from 1.' }),
        at: timeSchema,
        from: imageVideoStatusSchema,
        to: imageVideoStatusSchema,
        task_id: jobIdSchema.nullable(),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ImageHistory' });

export type ImageHistory = z.infer<typeof imageHistorySchema>;
export type ImageStatusBatch = z.infer<typeof imageStatusBatchSchema>;
export type ImageMotion = z.infer<typeof motionSchema>;
/** `GET /images/{name}/history`: changes before `before`. */
export const imageHistoryQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  before: z.coerce.number().int().min(1).optional().meta({ description: 'Only changes before this one.' }),
});
/** Query of an upload of a picture. */
export const imageUploadQuerySchema = z.object({
  img_name: imageNameSchema.optional().meta({ description: 'Needed with a body of image/*.' }),
  source_type: sourceTypeSchema.optional(),
});

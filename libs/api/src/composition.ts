/** Compositions in REST: several videos joined to one. */
import { z } from 'zod';
import {
  compositionIdSchema,
  jobErrorSchema,
  jobIdSchema,
  jobStatusSchema,
  subTaskProgressSchema,
  videoIdSchema,
} from './job.ts';
import { pageOf, timeSchema } from './page.ts';
import { ownerIdSchema, titleSchema } from './stream.ts';

/** Most inputs of one composition, and how often one video may be among them. */
export const mostCompositionInputs = 100;
export const mostCompositionRepeats = 5;

export const compositionItemSchema = z
  .strictObject({
    video_id: videoIdSchema,
    start_ms: z.int().min(0).optional().meta({ description: 'First moment that is taken; default the beginning.' }),
    end_ms: z.int().min(1).optional().meta({ description: 'Where it ends; default the end.' }),
  })
  .meta({ id: 'CompositionItem' });

export const compositionInputSchema = z
  .strictObject({
    title: titleSchema.optional(),
    videos: z
      .array(z.union([videoIdSchema, compositionItemSchema]))
      .max(mostCompositionInputs)
      .meta({ description: 'At least two, in playing order: ids, or objects with a trim.' }),
    transition: z
      .strictObject({
        kind: z.enum(['cut', 'fade', 'crossfade']),
        duration_ms: z.int().min(100).max(5_000).default(500),
      })
      .optional(),
    target: z
      .strictObject({
        width: z.int().min(64).max(7_680).multipleOf(2),
        height: z.int().min(64).max(4_320).multipleOf(2),
        frames_per_second: z.number().min(1).max(120).optional(),
      })
      .optional()
      .meta({ description: 'Default: the format that most inputs have.' }),
    even_loudness: z.boolean().default(true),
    priority: z.enum(['low', 'normal', 'high']).default('normal'),
  })
  .meta({ id: 'CompositionInput' });
export type CompositionInput = z.input<typeof compositionInputSchema>;

export const compositionSchema = z
  .object({
    composition_id: compositionIdSchema,
    task_id: jobIdSchema,
    owner_id: ownerIdSchema,
    title: z.string(),
    videos: z.array(z.object({ video_id: videoIdSchema, start_ms: z.int().nullable(), end_ms: z.int().nullable() })),
    status: jobStatusSchema,
    cancelling: z.boolean(),
    progress: z.number().min(0).max(100),
    phase: z.string().nullable(),
    eta_ms: z.int().nullable(),
    steps: z.array(subTaskProgressSchema),
    error: jobErrorSchema.nullable(),
    output: z
      .object({
        video_id: videoIdSchema,
        duration_ms: z.int(),
        size_bytes: z.int(),
        method: z
          .enum(['copy', 'encode'])
          .meta({ description: '`copy`: no picture was encoded again; sound may have been, to even its loudness.' }),
        hls_url: z.string(),
        file_url: z.string(),
        poster_url: z.string().nullable(),
      })
      .nullable(),
    created_at: timeSchema,
    updated_at: timeSchema,
    finished_at: timeSchema.nullable(),
  })
  .meta({ id: 'Composition' });
export type Composition = z.infer<typeof compositionSchema>;
export const compositionPageSchema = pageOf('CompositionPage', compositionSchema);
export type CompositionPage = z.infer<typeof compositionPageSchema>;

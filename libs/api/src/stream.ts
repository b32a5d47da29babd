import { healthTopic, latencyModeSchema, visibilitySchema } from '@millrace/events';
import { z } from 'zod';
import { pageOf, timeSchema } from './page.ts';

const idBody = '[0-7][0-9a-hjkmnp-tv-z]{25}';
export const streamIdSchema = z
  .string()
  .regex(new RegExp(`^str_${idBody}$`))
  .meta({ example: 'str_01jd4000000000000000000000' });
export const playbackIdSchema = z
  .string()
  .regex(new RegExp(`^play_${idBody}$`))
  .meta({ example: 'play_01jd4000000000000000000000' });
export const ownerIdSchema = z
  .string()
  .regex(new RegExp(`^own_${idBody}$`))
  .meta({ example: 'own_01jd4000000000000000000000' });
export const keyIdSchema = z
  .string()
  .regex(new RegExp(`^key_${idBody}$`))
  .meta({ example: 'key_01jd4000000000000000000000' });
export const tokenIdSchema = z
  .string()
  .regex(new RegExp(`^tok_${idBody}$`))
  .meta({ example: 'tok_01jd4000000000000000000000' });

/** Text that a person reads: 1 to 200 characters, no control characters (U+0000 cannot be stored). */
export const titleSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'text without control characters');

const stream = {
  id: streamIdSchema,
  playback_id: playbackIdSchema.meta({ description: 'Names the stream in playback URLs; says nothing about its key.' }),
  owner_id: ownerIdSchema,
  title: titleSchema,
  visibility: visibilitySchema.meta({ description: '`private` needs a playback token to watch.' }),
  latency_mode: latencyModeSchema.meta({ description: '`low`: parts of 200 ms; `standard`: 333 ms.' }),
  created_at: timeSchema,
  updated_at: timeSchema,
};

/** A stream as lists show it. */
export const streamSchema = z.object(stream).meta({ id: 'Stream' });
export type Stream = z.infer<typeof streamSchema>;
export const streamPageSchema = pageOf('StreamPage', streamSchema);
export type StreamPage = z.infer<typeof streamPageSchema>;

export const liveStateSchema = z.enum(['idle', 'live', 'interrupted']).meta({ id: 'LiveState' });
export type LiveState = z.infer<typeof liveStateSchema>;

/** What the encoder sends: the newest sample of @millrace/events' health topic. */
export const healthSchema = healthTopic.schema.meta({ id: 'IngestHealth' });

/** A stream with all that is known about it now. */
export const streamDetailSchema = z
  .object({
    ...stream,
    state: liveStateSchema,
    live_since: timeSchema.nullable(),
    health: healthSchema.nullable().meta({ description: 'Newest sample of the encoder; null while idle.' }),
    playback: z.object({
      hls_url: z.string().nullable().meta({ description: 'Null for a private stream: mint a playback token.' }),
      watch_url: z.string(),
    }),
    ingest: z.object({ rtmp_url: z.string(), rtmps_url: z.string().nullable() }),
  })
  .meta({ id: 'StreamDetail' });
export type StreamDetail = z.infer<typeof streamDetailSchema>;

export const streamInputSchema = z
  .strictObject({
    title: titleSchema,
    visibility: visibilitySchema.default('public'),
    latency_mode: latencyModeSchema.default('low'),
  })
  .meta({ id: 'StreamInput' });
export type StreamInput = z.input<typeof streamInputSchema>;

export const streamPatchSchema = z
  .strictObject({
    title: titleSchema.optional(),
    visibility: visibilitySchema.optional(),
    latency_mode: latencyModeSchema.optional(),
  })
  .meta({ id: 'StreamPatch' });
export type StreamPatch = z.infer<typeof streamPatchSchema>;

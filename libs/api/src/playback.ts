import { latencyModeSchema, visibilitySchema } from '@millrace/events';
import { z } from 'zod';
import { timeSchema } from './page.ts';
import { liveStateSchema, playbackIdSchema } from './stream.ts';

export const playbackTokenInputSchema = z
  .strictObject({ expires_in_s: z.int().min(60).max(2_592_000).default(14_400) })
  .meta({ id: 'PlaybackTokenInput' });
export type PlaybackTokenInput = z.input<typeof playbackTokenInputSchema>;

/** A token that plays one stream, and the URLs that carry it. */
export const playbackTokenSchema = z
  .object({ token: z.string(), expires_at: timeSchema, hls_url: z.string(), watch_url: z.string() })
  .meta({ id: 'PlaybackToken' });
export type PlaybackToken = z.infer<typeof playbackTokenSchema>;

/** A token that plays one private video, and the URLs that carry it. What the video does not have (yet) answers 404. */
export const videoPlaybackTokenSchema = z
  .object({
    token: z.string(),
    expires_at: timeSchema,
    hls_url: z.string(),
    dash_url: z.string(),
    poster_url: z.string(),
    storyboard_url: z.string(),
    file_url: z.string(),
  })
  .meta({ id: 'VideoPlaybackToken' });
export type VideoPlaybackToken = z.infer<typeof videoPlaybackTokenSchema>;

/** What a watch page needs; no login. */
export const watchSchema = z
  .object({
    playback_id: playbackIdSchema,
    title: z.string(),
    state: liveStateSchema,
    latency_mode: latencyModeSchema,
    visibility: visibilitySchema,
    hls_url: z.string(),
  })
  .meta({ id: 'Watch' });
export type Watch = z.infer<typeof watchSchema>;

/** What is known of a media file after its probe, and what the encoders make of it. Between progress and its workers, and in REST. */
import { z } from 'zod';

/** Key of an object in the media store. */
export const mediaKeySchema = z.string().min(1).max(512);

export const videoTrackSchema = z.object({
  codec: z.string(),
  profile: z.string().nullable(),
  /** As shown: after rotation and with square pixels, in pixels. */
  width: z.int(),
  height: z.int(),
  frames_per_second: z.number(),
  bits_per_second: z.int().nullable(),
  pixel_format: z.string(),
  rotation: z.int(),
});
export type VideoTrack = z.infer<typeof videoTrackSchema>;

export const audioTrackSchema = z.object({
  codec: z.string(),
  profile: z.string().nullable(),
  channels: z.int(),
  sample_rate: z.int(),
  bits_per_second: z.int().nullable(),
  /** ISO 639, when the file says one. */
  language: z.string().nullable(),
});
export type AudioTrack = z.infer<typeof audioTrackSchema>;

/** What ffprobe says of a file: `GET /api/v1/videos/{id}` shows it as `media`. */
export const mediaFactsSchema = z
  .object({
    container: z.string(),
    duration_ms: z.int(),
    size_bytes: z.int(),
    video: videoTrackSchema.nullable(),
    audio: audioTrackSchema.nullable(),
  })
  .meta({ id: 'MediaFacts' });
export type MediaFacts = z.infer<typeof mediaFactsSchema>;

/** One rung of the ladder. `name` is its folder and its name in playlists: `720p`. */
export const rungSchema = z.object({
  name: z.string().regex(/^[a-z0-9]{1,16}$/),
  width: z.int(),
  height: z.int(),
  frames_per_second: z.number(),
  /** Average and peak that the encoder is held to. */
  bits_per_second: z.int(),
  max_bits_per_second: z.int(),
});
export type Rung = z.infer<typeof rungSchema>;

/** A CMAF media segment in the store, in playlist order. */
export const storedSegmentSchema = z.object({
  /** Path relative to the asset's folder. A segment of a track is named after its first decode time in ticks: `video-720p/s90090.m4s`. */
  path: z.string(),
  duration_ms: z.number(),
  bytes: z.int(),
});
export type StoredSegment = z.infer<typeof storedSegmentSchema>;

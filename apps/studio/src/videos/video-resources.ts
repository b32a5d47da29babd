/** Videos as /api/v1 tells of them. */
import { choice, integer, list, nullable, number, object, type Read, text, truth } from '../api/wire.ts';
import { readJobError, readJobStatus } from '../jobs/job-resources.ts';

const track = { codec: text, bits_per_second: nullable(number) };
const readMedia = object({
  container: text,
  duration_ms: number,
  size_bytes: number,
  video: nullable(object({ ...track, width: integer, height: integer, frames_per_second: number })),
  audio: nullable(object({ ...track, channels: integer, sample_rate: integer })),
});
export type MediaFacts = Read<typeof readMedia>;

const readPlayback = object({
  hls_url: text,
  dash_url: nullable(text),
  poster_url: nullable(text),
  storyboard_url: nullable(text),
  file_url: nullable(text),
  subtitles: list(object({ language: text, url: text })),
  complete: truth,
});
export type VideoPlayback = Read<typeof readPlayback>;

export const readVideo = object({
  video_id: text,
  playback_id: text,
  title: text,
  visibility: choice(['public', 'private'] as const),
  origin: choice(['upload', 'import', 'composition', 'image', 'recording'] as const),
  status: readJobStatus,
  source_state: choice(['uploading', 'importing', 'ready', 'failed'] as const),
  source_progress: nullable(object({ received_bytes: number, total_bytes: nullable(number) })),
  language: nullable(text),
  media: nullable(readMedia),
  size_bytes: nullable(number),
  current_task_id: nullable(text),
  progress: number,
  error: nullable(readJobError),
  playback: nullable(readPlayback),
  created_at: text,
  updated_at: text,
});
export type Video = Read<typeof readVideo>;
export const readVideoPage = object({ items: list(readVideo), next_cursor: nullable(text) });
export const readCreatedVideo = object({ video: readVideo, upload_url: nullable(text) });

export const readVideoToken = object({
  token: text,
  expires_at: text,
  hls_url: text,
  poster_url: text,
  storyboard_url: text,
  file_url: text,
});
export type VideoToken = Read<typeof readVideoToken>;

export interface VideoDraft {
  readonly title: string;
  readonly visibility: Video['visibility'];
  readonly language?: string | undefined;
}

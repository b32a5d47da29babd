/** Images and what becomes of them, as /api/v1 tells of them. */
import { choice, list, nullable, number, object, type Read, text, truth } from '../api/wire.ts';
import { imageVideoStatuses } from '../routing/media-view.ts';

export const readImage = object({
  img_name: text,
  has_video: truth,
  video_status: choice(imageVideoStatuses),
  source_type: text,
  progress: number,
  task_id: nullable(text),
  video_id: nullable(text),
  video_url: nullable(text),
  error: nullable(text),
  created_at: text,
  updated_at: text,
  image_url: nullable(text),
  thumbnail_url: nullable(text),
  picture_state: choice(['none', 'importing', 'ready', 'failed'] as const),
  picture_error: nullable(text),
  width: nullable(number),
  height: nullable(number),
  size_bytes: nullable(number),
  prompt: nullable(text),
});
export type Image = Read<typeof readImage>;
export const readImagePage = object({ items: list(readImage), next_cursor: nullable(text) });

export const readHistory = object({
  items: list(
    object({
      at: text,
      from: choice(imageVideoStatuses),
      to: choice(imageVideoStatuses),
      reason: nullable(text),
    }),
  ),
});
export type StatusChange = Read<typeof readHistory>['items'][number];

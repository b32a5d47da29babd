/** Compositions as /api/v1 tells of them. */
import { choice, list, nullable, number, object, type Read, text, truth } from '../api/wire.ts';
import { readJobError, readJobStatus, readStep } from '../jobs/job-resources.ts';

export const readComposition = object({
  composition_id: text,
  task_id: text,
  title: text,
  videos: list(object({ video_id: text, start_ms: nullable(number), end_ms: nullable(number) })),
  status: readJobStatus,
  cancelling: truth,
  progress: number,
  phase: nullable(text),
  eta_ms: nullable(number),
  steps: list(readStep),
  error: nullable(readJobError),
  output: nullable(
    object({
      video_id: text,
      duration_ms: number,
      size_bytes: number,
      method: choice(['copy', 'encode'] as const),
      poster_url: nullable(text),
    }),
  ),
  created_at: text,
  updated_at: text,
});
export type Composition = Read<typeof readComposition>;
export const readCompositionPage = object({ items: list(readComposition), next_cursor: nullable(text) });

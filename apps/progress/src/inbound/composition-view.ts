import type { Composition, TaskProgressResponse } from '@millrace/api';
import { time } from '@millrace/http';
import type { CompositionRecord } from '../core/composition.ts';
import { isOpen } from '../core/composition.ts';
import type { VideoRecord } from '../core/video.ts';
import { playbackOf } from './video-view.ts';

/** What is shown with a composition. */
export interface CompositionAround {
  /** Its job; undefined once that was removed. */
  readonly job: TaskProgressResponse | undefined;
  /** The video that came of it; undefined: none, or it was deleted since. */
  readonly video: VideoRecord | undefined;
}

/** A composition, with its job's progress while that is kept. */
export function showComposition(
  publicUrl: string,
  composition: CompositionRecord,
  { job, video }: CompositionAround,
): Composition {
  const open = isOpen(composition);
  return {
    composition_id: composition.compositionId,
    task_id: composition.taskId,
    owner_id: composition.ownerId,
    title: composition.title,
    videos: composition.items.map(({ videoId, startMs, endMs }) => ({
      ...{ video_id: videoId, start_ms: startMs ?? null, end_ms: endMs ?? null },
    })),
    status: composition.status,
    cancelling: open && (job?.cancelling ?? false),
    progress: open ? (job?.progress ?? composition.progress) : composition.progress,
    phase: open ? (job?.phase ?? null) : null,
    eta_ms: open ? (job?.eta_ms ?? null) : null,
    steps: job?.steps ?? [],
    error: composition.error ?? null,
    output: outputOf(publicUrl, composition, video),
    created_at: time(composition.createdAtMs),
    updated_at: job !== undefined && open ? job.updated_at : time(composition.updatedAtMs),
    finished_at: composition.finishedAtMs === undefined ? null : time(composition.finishedAtMs),
  };
}

function outputOf(
  publicUrl: string,
  { output }: CompositionRecord,
  video: VideoRecord | undefined,
): Composition['output'] {
  const playback = video && playbackOf(publicUrl, video);
  if (output === undefined || !playback) return null;
  return {
    video_id: output.videoId,
    duration_ms: output.durationMs,
    size_bytes: output.sizeBytes,
    method: output.method,
    hls_url: playback.hls_url,
    file_url: playback.file_url ?? '',
    poster_url: playback.poster_url,
  };
}

/** Where a composition is. */
export function compositionUrl(compositionId: string): string {
  return `/api/v1/compositions/${compositionId}`;
}

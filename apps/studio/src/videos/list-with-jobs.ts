/** The list of videos as the API pages it, with what the hub says of their jobs at the moment. Pure. */
import type { HubJob } from '@millrace/api';
import { isActive, newestJobOf } from '../jobs/live-progress.ts';
import type { JobStatus } from '../routing/media-view.ts';
import type { Video } from './video-resources.ts';

/** How much of an original has come from its address. */
export interface Coming {
  readonly receivedBytes: number;
  /** Undefined: its server does not say. */
  readonly totalBytes: number | undefined;
  readonly etaMs: number | null;
}

export interface ListedVideo {
  readonly video: Video;
  readonly status: JobStatus;
  /** 0..100. */
  readonly progress: number;
  readonly phase: string | null;
  readonly etaMs: number | null;
  /** Of an original that is being fetched: how much has come. */
  readonly coming: Coming | undefined;
  /** The hub tells more than the list does: the list is to be asked for again. */
  readonly stale: boolean;
}

/** `jobs` is undefined while the hub is not heard: then everything is as the API says. */
export function listedVideo(video: Video, jobs: ReadonlyMap<string, HubJob> | undefined): ListedVideo {
  const { status, progress, current_task_id: taskId } = video;
  const { coming, over } = comingOf(video, jobs);
  const asTold = { video, status, progress, phase: null, etaMs: null, coming, stale: over };
  const job = newestJobOf(jobs, 'process', video.video_id);
  if (job === undefined || (taskId !== null && job.job_id < taskId)) return asTold;
  const known = job.job_id === taskId;
  if (isActive(job.status)) {
    // A job that started after the list was asked for, or the list's own.
    if (!known && Date.parse(job.updated_at) < Date.parse(video.updated_at)) return asTold;
    const { phase, eta_ms: etaMs } = job;
    const least = known ? progress : 0;
    const moved = Math.max(least, job.progress);
    return { video, status: job.status, progress: moved, phase, etaMs, coming: undefined, stale: !known };
  }
  // It has ended, and the list was read before that.
  return known ? { ...asTold, status: job.status, progress: job.progress, stale: true } : asTold;
}

/** What of the original has come, as the newer of both tells it; `over`: it has ended, and the video was read before that. */
export function comingOf(
  video: Pick<Video, 'video_id' | 'source_state' | 'source_progress'>,
  jobs: ReadonlyMap<string, HubJob> | undefined,
): { readonly coming: Coming | undefined; readonly over: boolean } {
  const told = video.source_progress;
  if (video.source_state !== 'importing') return { coming: undefined, over: false };
  const job = newestJobOf(jobs, 'import', video.video_id);
  if (job !== undefined && !isActive(job.status)) return { coming: undefined, over: true };
  const { bytes } = job ?? {};
  if (bytes !== undefined) {
    const etaMs = job?.eta_ms ?? null;
    return { coming: { receivedBytes: bytes.received, totalBytes: bytes.total ?? undefined, etaMs }, over: false };
  }
  const coming = { receivedBytes: told?.received_bytes ?? 0, totalBytes: told?.total_bytes ?? undefined, etaMs: null };
  return { coming, over: false };
}

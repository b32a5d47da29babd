/** The list of videos as the API pages it, with what the hub says of their jobs at the moment. Pure. */
import type { HubJob } from '@millrace/api';
import { isActive, newestJobOf } from '../jobs/live-progress.ts';
import type { JobStatus } from '../routing/media-view.ts';
import type { Video } from './video-resources.ts';

export interface ListedVideo {
  readonly video: Video;
  readonly status: JobStatus;
  /** 0..100. */
  readonly progress: number;
  readonly phase: string | null;
  readonly etaMs: number | null;
  /** The hub tells more than the list does: the list is to be asked for again. */
  readonly stale: boolean;
}

/** `jobs` is undefined while the hub is not heard: then everything is as the API says. */
export function listedVideo(video: Video, jobs: ReadonlyMap<string, HubJob> | undefined): ListedVideo {
  const { status, progress, current_task_id: taskId } = video;
  const asTold = { video, status, progress, phase: null, etaMs: null, stale: false };
  const job = newestJobOf(jobs, 'process', video.video_id);
  if (job === undefined || (taskId !== null && job.job_id < taskId)) return asTold;
  const known = job.job_id === taskId;
  if (isActive(job.status)) {
    // A job that started after the list was asked for, or the list's own.
    if (!known && Date.parse(job.updated_at) < Date.parse(video.updated_at)) return asTold;
    const { phase, eta_ms: etaMs } = job;
    const least = known ? progress : 0;
    return { video, status: job.status, progress: Math.max(least, job.progress), phase, etaMs, stale: !known };
  }
  // It has ended, and the list was read before that.
  return known ? { ...asTold, status: job.status, progress: job.progress, stale: true } : asTold;
}

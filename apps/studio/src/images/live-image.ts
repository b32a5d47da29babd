/** An image as the API told it, with what the hub says of the job behind its video. Pure. */
import type { HubJob } from '@millrace/api';
import { isActive, newestJobOf } from '../jobs/live-progress.ts';
import type { ImageVideoStatus } from '../routing/media-view.ts';
import type { Image } from './image-resources.ts';

export interface LiveImage {
  readonly image: Image;
  readonly status: ImageVideoStatus;
  readonly progress: number;
  readonly phase: string | null;
  readonly etaMs: number | null;
  /** The hub tells more than the API did: ask again. */
  readonly stale: boolean;
}

function imageIsActive({ video_status: status }: Pick<Image, 'video_status'>): boolean {
  return status === 'pending' || status === 'processing';
}

/** `jobs` is undefined while the hub is not heard. */
export function liveImage(image: Image, jobs: ReadonlyMap<string, HubJob> | undefined): LiveImage {
  const told = { image, status: image.video_status, progress: image.progress, phase: null, etaMs: null, stale: false };
  const job = newestJobOf(jobs, 'image-video', image.img_name);
  if (job === undefined || (image.task_id !== null && job.job_id < image.task_id)) return told;
  const known = job.job_id === image.task_id;
  if (!isActive(job.status)) return known && imageIsActive(image) ? { ...told, stale: true } : told;
  if (known && !imageIsActive(image)) return told; // the API has seen its end
  const status = job.status === 'pending' ? 'pending' : 'processing';
  const least = known ? image.progress : 0;
  const progress = Math.max(least, job.progress);
  return { image, status, progress, phase: job.phase, etaMs: job.eta_ms, stale: !known };
}

export const imageStatusWords: Readonly<Record<ImageVideoStatus, string>> = {
  none: 'No video',
  pending: 'Waiting',
  processing: 'Processing',
  completed: 'Video ready',
  failed: 'Failed',
};

/** So long after a change a thumbnail is looked out for, ms; one that has not come until then comes some day, or cannot be made. */
const thumbnailMs = 30_000;

/** Whether a picture or its thumbnail is on its way, which the hub does not tell. */
export function picturesCome(
  image: Pick<Image, 'picture_state' | 'thumbnail_url' | 'updated_at'>,
  nowMs: number,
): boolean {
  if (image.picture_state === 'importing') return true;
  const missing = image.picture_state === 'ready' && image.thumbnail_url === null;
  return missing && nowMs - Date.parse(image.updated_at) < thumbnailMs;
}

/** Of an image without a picture. */
export const pictureWords: Readonly<Record<Image['picture_state'], string>> = {
  none: 'no picture yet',
  importing: 'picture being fetched',
  ready: 'no picture yet',
  failed: 'the picture did not come',
};

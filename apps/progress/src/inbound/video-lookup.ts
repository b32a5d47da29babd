import { type Actor, confinedTo } from '@millrace/auth';
import { notFound, ProblemError, problem } from '@millrace/http';
import type { VideoRecord } from '../core/video.ts';
import type { NoVideoRoom } from '../core/video-room.ts';
import type { VideoRows } from '../core/video-rows.ts';

/** The video if it is there and the actor may reach it; otherwise refuses with 404. `lock`: takes its row lock. */
export async function reachVideo(
  rows: VideoRows,
  actor: Actor,
  videoId: string,
  how: 'read' | 'lock',
): Promise<VideoRecord> {
  const video = how === 'lock' ? await rows.lock(videoId) : await rows.get(videoId);
  const owner = confinedTo(actor);
  if (video === undefined || (owner !== undefined && video.ownerId !== owner)) throw notFound('video', videoId);
  return video;
}

/** The owner has no room for one more video. */
export function tooManyVideos({ kind, reason }: NoVideoRoom): ProblemError {
  return new ProblemError(problem(409, kind, 'Too many videos', { detail: reason }));
}

/** The end of a video: its job, its uploads, its rows and, through cleanups, everything in the store. */
import type { JobDesk } from './job-desk.ts';
import type { Transaction } from './store.ts';
import { partsPrefix } from './upload.ts';
import { currentTaskId, type VideoRecord } from './video.ts';

/** Removes `video`, whose row the transaction has locked. The caller publishes its end. */
export async function removeVideo(
  tx: Transaction,
  desk: Pick<JobDesk, 'cancel' | 'forget'>,
  video: VideoRecord,
  nowMs: number,
): Promise<void> {
  const { videoId } = video;
  const running = currentTaskId(video);
  if (running !== undefined) await desk.cancel(tx, running);
  await desk.forget(tx, 'process', videoId);
  const uploads = await tx.uploads.ofVideo(videoId);
  for (const upload of uploads) await tx.uploads.remove(upload.uploadId);
  const folder = `videos/${videoId}/`;
  const elsewhere = [video.sourceKey, video.fileKey].filter((key) => key !== undefined && !key.startsWith(folder));
  await tx.videos.remove(videoId);
  await tx.cleanups.add(
    [
      { prefix: folder },
      ...uploads.map((upload) => ({ prefix: partsPrefix(upload.uploadId) })),
      ...[...new Set(elsewhere)].flatMap((key) => (key === undefined ? [] : [{ key }])),
    ],
    nowMs,
  );
}

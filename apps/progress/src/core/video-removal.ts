/** The end of a video: its job, its uploads, its rows and, through cleanups, everything in the store. */
import { importCancelled } from './import-facts.ts';
import { importPrefix } from './import-rows.ts';
import type { JobDesk } from './job-desk.ts';
import type { Transaction } from './store.ts';
import { partsPrefix } from './upload.ts';
import { currentTaskId, type VideoRecord } from './video.ts';

/** Longer than joining the parts of an upload takes, ms. */
const joinMs = 3_600_000;

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
  // somebody may be joining its parts, and write the original after everything else is gone
  if (uploads.some((upload) => upload.state === 'joining')) await tx.cleanups.add([{ prefix: folder }], nowMs + joinMs);
  const elsewhere = [video.sourceKey, video.fileKey].filter((key) => key !== undefined && !key.startsWith(folder));
  await tx.videos.remove(videoId);
  if (video.sourceState === 'importing') {
    await tx.publish([importCancelled(video, nowMs)]);
    const parts = { prefix: importPrefix(videoId) };
    await tx.cleanups.add([parts], nowMs);
    await tx.cleanups.add([parts], nowMs + joinMs); // as above
  }
  await tx.cleanups.add(
    [
      { prefix: folder },
      ...uploads.map((upload) => ({ prefix: partsPrefix(upload.uploadId) })),
      ...[...new Set(elsewhere)].flatMap((key) => (key === undefined ? [] : [{ key }])),
    ],
    nowMs,
  );
}

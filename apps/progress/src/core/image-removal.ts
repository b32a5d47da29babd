/** The end of an image, and what the end of its video means to it. */
import { type ImageRecord, runIsActive, videoDeleted } from './image.ts';
import { saveImage } from './image-effects.ts';
import type { JobDesk } from './job-desk.ts';
import type { Transaction } from './store.ts';
import { thumbnailKeyOf } from './thumbnail-pipeline.ts';

/** Removes `image`, whose row the transaction has locked; the video that was made of it stays a video. The caller publishes its end. */
export async function removeImage(
  tx: Transaction,
  desk: Pick<JobDesk, 'cancel' | 'forget'>,
  image: ImageRecord,
  nowMs: number,
): Promise<void> {
  const { imgName, ownerId, taskId, picture, sizeBytes } = image;
  if (taskId !== undefined && runIsActive(image)) await desk.cancel(tx, taskId);
  await desk.forget(tx, 'image-video', imgName);
  await tx.images.remove(imgName);
  await tx.images.giveRoom(ownerId, { images: 1, bytes: sizeBytes });
  if (picture === undefined) return;
  // the thumbnail's job ends by itself, and what it may write until then is removed with the second round
  await tx.cleanups.add([{ key: picture.key }, { key: thumbnailKeyOf(picture) }], nowMs);
}

/**
 * The video is about to be deleted: its image has none any more, and a run that would replace it is cancelled. Comes before the lock of
 * the video, as images are locked before videos.
 */
export async function releaseVideo(
  tx: Transaction,
  desk: Pick<JobDesk, 'cancel'>,
  videoId: string,
  nowMs: number,
): Promise<void> {
  const imgName = await tx.images.nameOfVideo(videoId);
  const image = imgName === undefined ? undefined : await tx.images.lock(imgName);
  if (image === undefined || image.video?.videoId !== videoId) return;
  await saveImage(tx, image, videoDeleted(image, nowMs));
  if (image.taskId !== undefined && runIsActive(image)) await desk.cancel(tx, image.taskId);
}

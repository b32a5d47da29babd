/** The arrival of an image's picture, however it comes: uploaded, or fetched from a URL after the answer. */
import { record } from '@millrace/eventlog';
import { imagesTopic } from '@millrace/events';
import { type ImageRecord, imageStateOf, type Picture, pictureArrived } from './image.ts';
import type { ImageRoom } from './image-rows.ts';
import type { Transaction } from './store.ts';

/** Imports of pictures from URLs. */
export interface PictureImports {
  /** Says why the URL cannot be fetched, without asking anybody; undefined: it may be tried. */
  refuse(url: string): string | undefined;
  /** Takes the import on, in the transaction that made the image or changed it. */
  start(tx: Transaction, image: ImageRecord, url: string, nowMs: number): Promise<void>;
}

/**
 * Enters a stored picture of an image that has none, whose row the transaction has locked; an import of another one is over.
 * Undefined: the owner has no room for it.
 */
export async function enterPicture(
  tx: Transaction,
  image: ImageRecord,
  stored: { readonly picture: Picture; readonly sizeBytes: number },
  perOwner: ImageRoom,
  nowMs: number,
): Promise<ImageRecord | undefined> {
  const room = { images: 0, bytes: stored.sizeBytes };
  if (!(await tx.images.takeRoom(image.ownerId, room, perOwner))) return undefined;
  const next = pictureArrived(image, stored.picture, stored.sizeBytes, nowMs);
  await tx.images.save(next, []);
  await tx.pictureImports.remove(image.imgName);
  await tx.cleanups.withdraw(stored.picture.key);
  await tx.publish([record(imagesTopic, imageStateOf(next))]);
  return next;
}

/**
 * Which thumbnails are made now. They are work of the house: its jobs belong to no user, so they take nothing from anybody's quota, call
 * no webhook and are in nobody's list. Few wait at once, so that they hold up no video for long.
 */
import { type IdSource, newId } from '@millrace/ids';
import { type ImageRecord, thumbnailAsked } from './image.ts';
import type { JobDesk } from './job-desk.ts';
import type { ProgressStore, Transaction } from './store.ts';
import { type ThumbnailRequest, thumbnailKeyOf, thumbnailRequestOf } from './thumbnail-pipeline.ts';

/** Owner of the house's own jobs. No user has this id: it says that it was made in 1970. */
const houseOwnerId = `own_${'0'.repeat(26)}`;

/** So long somebody may be waiting to see it, ms; later it is made when nothing else is to be done. */
const freshMs = 600_000;
/** A job of which nothing is ever heard, and one that failed as something was in its way, are repeated after this, ms. */
export const againMs = 86_400_000;
/** The slot is taken by the job of a picture that was deleted, which ends soon, ms. */
const slotMs = 10_000;

export interface ThumbnailSubmissionDeps {
  readonly store: Pick<ProgressStore, 'transaction'>;
  readonly desk: Pick<JobDesk, 'submit' | 'forget'>;
  readonly idSource: IdSource;
  readonly nowMs: () => number;
  /** Most jobs that wait or run; of those that are not fresh, a quarter as many. */
  readonly mostOpen: number;
}

/** Submits the job of one image whose thumbnail is due, the newest first; false: none is, or enough are open. */
export async function submitDueThumbnail(deps: ThumbnailSubmissionDeps): Promise<boolean> {
  const { store, nowMs, mostOpen } = deps;
  return store.transaction(async (tx) => {
    const open = await tx.jobs.countOpen(houseOwnerId);
    if (open >= mostOpen) return false;
    const now = nowMs();
    const image = await tx.images.lockThumbnailDue(now);
    if (image === undefined) return false;
    const fresh = now - (image.thumbnailDueMs ?? now) < freshMs;
    if (!fresh && open >= Math.ceil(mostOpen / 4)) return false;
    return submitThumbnail(tx, deps, image, fresh, now);
  });
}

async function submitThumbnail(
  tx: Transaction,
  { desk, idSource }: ThumbnailSubmissionDeps,
  image: ImageRecord,
  fresh: boolean,
  nowMs: number,
): Promise<boolean> {
  const { imgName, picture } = image;
  if (picture === undefined) throw new Error(`image ${imgName}: due for a thumbnail without a picture`);
  const request: ThumbnailRequest = { picture, thumbnail: thumbnailKeyOf(picture) };
  const submitted = await desk.submit(tx, {
    ...{ jobId: newId('job', idSource), kind: 'thumbnail' as const, subject: imgName, ownerId: houseOwnerId },
    ...{ priority: fresh ? ('high' as const) : ('low' as const), force: false, request },
  });
  if (submitted.kind === 'quota') return false;
  // nobody asks for it by its image, and what it leaves is with the image: it goes as soon as it has ended
  await desk.forget(tx, 'thumbnail', imgName);
  const others =
    submitted.kind === 'conflict' && thumbnailRequestOf(submitted.active.request).picture.key !== picture.key;
  await tx.images.save(thumbnailAsked(image, nowMs + (others ? slotMs : againMs)), []);
  return true;
}

/**
 * The quota of videos. Whoever makes a video, or takes on a job that will, asks here first, in the transaction that does so. A place is
 * taken with the row of the video, or with that of the job, until it ends: so nothing has to be given back.
 */
import { err, ok, type Result } from '@millrace/result';
import type { Transaction } from './store.ts';

export interface NoVideoRoom {
  readonly kind: 'too-many-videos';
  readonly reason: string;
}

/**
 * So far below the quota those who share transactions need not take turns: more than may be on their way at a time and do not see each
 * other (64 of each instance).
 */
const videoMargin = 512;

/** Whether the owner may have one more video, at most `most` in all, those that are being made included. */
export async function takeVideoRoom(
  tx: Transaction,
  ownerId: string,
  most: number,
  margin = videoMargin,
): Promise<Result<void, NoVideoRoom>> {
  if (tx.isShared) {
    // Who is alone waits until these have committed, and counts them; these wait until who is alone has.
    const seen = await tx.videos.shareTurnAndCount(ownerId);
    if (seen + margin < most) return ok();
    tx.needsOwn();
  }
  await tx.videos.takeTurn(ownerId);
  if ((await tx.videos.countWithComing(ownerId)) < most) return ok();
  const reason = `expected at most ${most} videos of one owner, those that are being made included: delete one first`;
  return err({ kind: 'too-many-videos', reason });
}

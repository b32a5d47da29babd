/** The arrival of a video's original, however it came. */
import type { Transaction } from './store.ts';
import type { VideoRecord } from './video.ts';
import { saveChanged } from './video-effects.ts';
import { type SubmissionDeps, submitRun } from './video-submission.ts';

/** Key of the original of a video that was uploaded or imported. */
export function sourceKeyOf(videoId: string): string {
  return `videos/${videoId}/source`;
}

/** Imports of originals from URLs. */
export interface VideoImports {
  /** Says why the URL cannot be imported, without asking anybody; undefined: it may be tried. */
  refuse(url: string): string | undefined;
  /** Takes the import on, in the transaction that made the video. */
  start(tx: Transaction, video: VideoRecord, url: string, nowMs: number): Promise<void>;
}

/**
 * The original is in the store: the video is ready, and processing starts if that was wished. A job that the owner's quota
 * refuses is not started: `run_sync` starts it later. The transaction has locked the video's row.
 */
export async function sourceArrived(
  tx: Transaction,
  deps: SubmissionDeps,
  video: VideoRecord,
  source: { readonly key: string; readonly sizeBytes: number },
  nowMs: number,
): Promise<void> {
  const ready: VideoRecord = {
    ...video,
    ...{ sourceState: 'ready', sourceKey: source.key, sizeBytes: source.sizeBytes, sourceError: undefined },
    updatedAtMs: Math.max(nowMs, video.updatedAtMs),
  };
  await saveChanged(tx, video, ready);
  if (!video.processOnSource) return;
  await submitRun(tx, deps, ready, { force: false, priority: 'normal', steps: undefined }, nowMs);
}

/** The original will not come; the video says why. */
export async function sourceFailed(tx: Transaction, video: VideoRecord, reason: string, nowMs: number): Promise<void> {
  const updatedAtMs = Math.max(nowMs, video.updatedAtMs);
  await saveChanged(tx, video, { ...video, sourceState: 'failed', sourceError: reason, updatedAtMs });
}

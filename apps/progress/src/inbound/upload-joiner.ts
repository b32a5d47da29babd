/**
 * Makes the original of a video out of the parts of its upload, and starts processing. No request waits for it. Any instance may
 * do it; one that dies leaves it to the next, since what is written is the same however often it is written.
 */
import type { Clock } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore, StoreFailure } from '@millrace/media-store';
import type { Result } from '@millrace/result';
import { DueLoop } from '../core/due-loop.ts';
import type { ProgressStore } from '../core/store.ts';
import { firstGap, partsPrefix, type UploadRecord } from '../core/upload.ts';
import { sourceArrived, sourceFailed, sourceKeyOf } from '../core/video-source.ts';
import type { SubmissionDeps } from '../core/video-submission.ts';
import { joinParts } from './part-joining.ts';
import { whyNotStored } from './store-refusals.ts';

export interface UploadJoinerDeps extends SubmissionDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: {
    readonly uploads: { inc(labels: { readonly outcome: string }): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
  /** How long a finished upload answers that it is done, ms. */
  readonly restMs: number;
}

/** An instance that dies while it joins leaves it to others after this, ms; who lives puts it off again in time. */
const takenMs = 15_000;
const goesOnMs = 5_000;
const mostTries = 10;

export class UploadJoiner {
  readonly #deps: UploadJoinerDeps;
  /** Joins what is there, then looks again, at once when an upload of this instance has all of its bytes. */
  readonly loop: DueLoop;

  constructor(deps: UploadJoinerDeps) {
    this.#deps = deps;
    const work = (signal: AbortSignal) => this.joinOne(signal);
    this.loop = new DueLoop({ ...deps, name: 'upload-joiner', failureEvent: 'upload-not-joined', work });
  }

  /** Joins the upload whose turn it is; false: there is none. */
  async joinOne(signal: AbortSignal): Promise<boolean> {
    const { store, clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    const upload = await store.uploads.takeJoin(nowMs, nowMs + takenMs);
    if (upload === undefined) return false;
    const timer = clock.every(goesOnMs, () => {
      store.uploads.joinGoesOn(upload.uploadId, clock.nowMs() + takenMs).catch((error: unknown) => {
        log.warn('upload-join-not-put-off', { upload_id: upload.uploadId, error }); // at worst it is done twice
      });
    });
    try {
      const joined = await this.#join(upload, signal);
      if (joined.ok) await this.#arrived(upload);
      else if (!signal.aborted) await this.#failed(upload, joined.error);
    } finally {
      timer.cancel();
    }
    return true;
  }

  async #join(upload: UploadRecord, signal: AbortSignal): Promise<Result<void, StoreFailure>> {
    const { store, mediaStore } = this.#deps;
    const parts = await store.uploads.parts(upload.uploadId);
    const gap = firstGap(parts, upload.sizeBytes);
    if (gap !== undefined) throw new Error(`upload ${upload.uploadId}: expected a part at byte ${gap}`);
    return joinParts(mediaStore, sourceKeyOf(upload.videoId), parts, signal);
  }

  async #arrived(known: UploadRecord): Promise<void> {
    const { store, clock, metrics, restMs } = this.#deps;
    const nowMs = clock.nowMs();
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(known.videoId);
      const upload = await tx.uploads.lock(known.uploadId);
      if (video === undefined || upload === undefined) {
        await tx.cleanups.add([{ prefix: `videos/${known.videoId}/` }], nowMs); // deleted meanwhile
        return;
      }
      if (upload.state !== 'joining') return; // another instance was quicker
      await tx.uploads.finish(upload.uploadId, 'done', nowMs + restMs);
      await tx.cleanups.add([{ prefix: partsPrefix(upload.uploadId) }], nowMs);
      const source = { key: sourceKeyOf(video.videoId), sizeBytes: upload.sizeBytes };
      await sourceArrived(tx, this.#deps, video, source, nowMs);
    });
    metrics.uploads.inc({ outcome: 'done' });
  }

  async #failed(known: UploadRecord, failure: StoreFailure): Promise<void> {
    const { store, clock, log, metrics, restMs } = this.#deps;
    const nowMs = clock.nowMs();
    log.warn('upload-join-failed', { upload_id: known.uploadId, tries: known.tries, failure });
    if (known.tries < mostTries) {
      const waitMs = backoffMs(known.tries, 1_000, 300_000, Math.random());
      await store.uploads.joinGoesOn(known.uploadId, nowMs + waitMs);
      return;
    }
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(known.videoId);
      const upload = await tx.uploads.lock(known.uploadId);
      if (upload?.state !== 'joining') return;
      await tx.uploads.finish(upload.uploadId, 'failed', nowMs + restMs);
      await tx.cleanups.add([{ prefix: partsPrefix(upload.uploadId) }], nowMs);
      if (video !== undefined) await sourceFailed(tx, video, whyNotStored(failure, 'original'), nowMs);
    });
    metrics.uploads.inc({ outcome: 'failed' });
  }
}

/** Uploads in parts that nobody finishes any more: who made them was killed. Their parts cost as much as objects, and no listing shows them. */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { StoreObserver } from '../store-observer.ts';
import type { S3Api } from './s3-api.ts';

export interface StaleUploadsDeps {
  readonly api: S3Api;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: StoreObserver;
}

/** One object is never written for so long, ms. */
const staleMs = 24 * 3_600_000;
const everyMs = 6 * 3_600_000;
/** Of one sweep; what is left is for the next. */
const mostPages = 10;

/** Sweeps at once and then every six hours, until `signal` aborts. */
export async function sweepStaleUploads(deps: StaleUploadsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await abortStaleUploads(deps, signal).catch((error: unknown) => {
      // A policy may forbid it; then the bucket's own rule has to do it.
      if (!signal.aborted && !deps.api.closed) deps.log.info('stale-uploads-not-swept', { error });
    });
    await sleep(deps.clock, everyMs, signal);
  }
}

/** Gives up the uploads under the store's prefix that began more than a day ago; returns how many. */
export async function abortStaleUploads(
  { api, clock, observer }: StaleUploadsDeps,
  signal: AbortSignal,
): Promise<number> {
  let gone = 0;
  for (let page = 0; page < mostPages; page++) {
    const { uploads, more } = await api.listUploads();
    const stale = uploads.filter(({ begunMs }) => clock.nowMs() - begunMs > staleMs);
    for (const { key, uploadId } of stale) {
      signal.throwIfAborted();
      await api.abortUpload(key, uploadId);
      observer.uploadAborted('stale');
      gone++;
    }
    // The page is read again, as those that were on it are gone; without any the rest waits for another day.
    if (!more || stale.length === 0) break;
  }
  return gone;
}

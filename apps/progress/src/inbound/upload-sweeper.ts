/**
 * Removes uploads that nobody has gone on with, with their parts, finished ones that nobody will ask for any more, and, once an
 * hour, parts without an upload: what was being written when its upload was removed, by an instance that died then.
 */
import { type Clock, sleep } from '@millrace/clock';
import { idTimeMs, parseId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { ProgressStore } from '../core/store.ts';
import { partsPrefix } from '../core/upload.ts';
import { endUpload } from '../core/upload-lifecycle.ts';
import type { UploadLocks } from '../core/upload-rows.ts';

export interface UploadSweeperDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly locks: Pick<UploadLocks, 'sweep'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: {
    readonly uploads: { inc(labels: { readonly outcome: string }): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
}

const periodMs = 30_000;
const strayPeriodMs = 3_600_000;
const bite = 100;

/** One round; what does not fit into a bite waits for the next. */
export async function sweepUploads({
  store,
  clock,
  metrics,
}: Pick<UploadSweeperDeps, 'store' | 'clock' | 'metrics'>): Promise<void> {
  const nowMs = clock.nowMs();
  for (const upload of await store.uploads.expired(nowMs, bite)) {
    await store.transaction(async (tx) => {
      const now = await tx.uploads.get(upload.uploadId);
      if (now === undefined || now.expiresAtMs > nowMs) return;
      await endUpload(tx, now, 'the upload was not finished in time', nowMs);
    });
    if (upload.state === 'receiving') metrics.uploads.inc({ outcome: 'expired' });
  }
}

/** Hands parts to the cleaner whose upload is not there (any more), unless it is being made just now. */
export async function sweepStrayParts({
  store,
  mediaStore,
  clock,
}: Pick<UploadSweeperDeps, 'store' | 'mediaStore' | 'clock'>): Promise<void> {
  const nowMs = clock.nowMs();
  const found = new Set<string>();
  for await (const { key } of mediaStore.list('uploads/')) {
    const uploadId = parseId('upl', key.split('/')[1] ?? '');
    if (uploadId.ok && idTimeMs(uploadId.value) < nowMs - strayPeriodMs) found.add(uploadId.value);
  }
  const known = new Set(await store.uploads.known([...found]));
  const stray = [...found].filter((uploadId) => !known.has(uploadId));
  await store.cleanups.add(
    stray.map((uploadId) => ({ prefix: partsPrefix(uploadId) })),
    nowMs,
  );
}

/** Sweeps twice a minute until `signal` aborts. */
export async function runUploadSweeper(deps: UploadSweeperDeps, signal: AbortSignal): Promise<void> {
  let strayAtMs = deps.clock.monotonicMs();
  while (!signal.aborted) {
    try {
      await sweepUploads(deps);
      if (deps.clock.monotonicMs() >= strayAtMs) {
        strayAtMs = deps.clock.monotonicMs() + strayPeriodMs;
        await deps.locks.sweep();
        await sweepStrayParts(deps);
      }
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.loopFailures.inc({ loop: 'upload-sweeper' });
      deps.log.warn('uploads-not-swept', { error });
    }
    await sleep(deps.clock, periodMs, signal);
  }
}

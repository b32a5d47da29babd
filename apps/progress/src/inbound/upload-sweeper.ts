/** Removes uploads that nobody has gone on with, with their parts, and finished ones that nobody will ask for any more. */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { ProgressStore } from '../core/store.ts';
import { endUpload } from '../core/upload-lifecycle.ts';

export interface UploadSweeperDeps {
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: {
    readonly uploads: { inc(labels: { readonly outcome: string }): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
}

const periodMs = 30_000;
const bite = 100;

/** One round; what does not fit into a bite waits for the next. */
export async function sweepUploads({ store, clock, metrics }: UploadSweeperDeps): Promise<void> {
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

/** Sweeps twice a minute until `signal` aborts. */
export async function runUploadSweeper(deps: UploadSweeperDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweepUploads(deps);
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.loopFailures.inc({ loop: 'upload-sweeper' });
      deps.log.warn('uploads-not-swept', { error });
    }
    await sleep(deps.clock, periodMs, signal);
  }
}

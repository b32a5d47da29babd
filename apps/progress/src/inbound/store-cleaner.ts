/**
 * Removes from the media store what nothing refers to any more. Each entry is removed now, and once more after the longest time in
 * which a worker that lost its lease may still write; so a kill -9 of anybody leaves nothing behind.
 */
import { type Clock, sleep } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { Cleanup, CleanupRows } from '../core/store.ts';
import type { ProgressMetrics } from '../metrics.ts';

export interface StoreCleanerOptions {
  readonly cleanups: CleanupRows;
  readonly mediaStore: MediaStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<ProgressMetrics, 'cleanups' | 'loopFailures'>;
  /** After this a worker without a lease has stopped writing for sure, ms. */
  readonly lateWriteMs: number;
}

const bite = 50;
const periodMs = 1_000;
/** An instance that dies while it removes leaves its entries to others after this, ms. */
const takenMs = 60_000;

/** One round: everything that is due. */
export async function cleanStore(options: StoreCleanerOptions): Promise<void> {
  const { cleanups, clock } = options;
  for (;;) {
    const nowMs = clock.nowMs();
    const due = await cleanups.take(nowMs, nowMs + takenMs, bite);
    if (due.length === 0) return;
    const gone: Cleanup[] = [];
    for (const entry of due) if (await removeOne(options, entry)) gone.push(entry);
    const ids = (again: boolean) => gone.filter((one) => one.again === again).map((one) => one.cleanupId);
    await cleanups.settle(ids(true), clock.nowMs() + options.lateWriteMs);
    await cleanups.settle(ids(false), undefined);
  }
}

/** Cleans every second until `signal` aborts. */
export async function runStoreCleaner(options: StoreCleanerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await cleanStore(options);
    } catch (error) {
      if (signal.aborted) return;
      options.metrics.loopFailures.inc({ loop: 'store-cleaner' });
      options.log.warn('store-not-cleaned', { error });
    }
    await sleep(options.clock, periodMs, signal);
  }
}

async function removeOne(options: StoreCleanerOptions, entry: Cleanup): Promise<boolean> {
  const { mediaStore, cleanups, clock, log, metrics } = options;
  const { target } = entry;
  const removed = await (target.endsWith('/') ? mediaStore.deletePrefix(target) : mediaStore.delete(target));
  if (removed.ok) {
    metrics.cleanups.inc({ outcome: entry.again ? 'removed' : 'again' });
    return true;
  }
  metrics.cleanups.inc({ outcome: 'failed' });
  log.warn('cleanup-failed', { target, failures: entry.failures + 1, error: removed.error });
  await cleanups.postpone(entry.cleanupId, clock.nowMs() + backoffMs(entry.failures, 1_000, 600_000, Math.random()));
  return false;
}

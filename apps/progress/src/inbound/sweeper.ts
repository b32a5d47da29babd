/** Removes what has ended: old jobs and kept answers, in bounded bites; and looks at how much is open, for the metrics. */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { ProgressStore } from '../core/store.ts';
import type { ProgressMetrics } from '../metrics.ts';

export interface SweeperDeps {
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ProgressMetrics;
  readonly retentionMs: number;
}

const sweepPeriodMs = 60_000;
const gaugePeriodMs = 5_000;
const bite = 500;

/** Bites of jobs in one round: thumbnails end by the thousand. */
const mostBites = 20;

/** One round; what does not fit into its bites waits for the next. */
export async function sweepOnce({ store, clock, metrics, retentionMs }: SweeperDeps): Promise<void> {
  const nowMs = clock.nowMs();
  for (let taken = 0; taken < mostBites; taken++) {
    const jobs = await store.transaction((tx) => tx.jobs.sweep(nowMs - retentionMs, bite));
    metrics.sweptRows.inc({ kind: 'job' }, jobs);
    if (jobs < bite) break;
  }
  metrics.sweptRows.inc({ kind: 'answer' }, await store.answers.sweep(nowMs, bite));
  metrics.sweptRows.inc({ kind: 'delivery' }, await store.webhooks.sweep(nowMs - retentionMs, bite));
}

/** Sets the gauges of what waits and runs. */
export async function measureQueue({ store, metrics }: Pick<SweeperDeps, 'store' | 'metrics'>): Promise<void> {
  const [jobs, tasks] = await Promise.all([store.jobs.countByKind(), store.tasks.countByKind()]);
  metrics.jobsOpen.reset();
  for (const { kind, status, count } of jobs) metrics.jobsOpen.set({ kind, status }, count);
  metrics.tasksOpen.reset();
  for (const { kind, status, count } of tasks) metrics.tasksOpen.set({ kind, status }, count);
}

/** Sweeps every minute and measures every five seconds until `signal` aborts. */
export async function runSweeper(deps: SweeperDeps, signal: AbortSignal): Promise<void> {
  let sweepAtMs = deps.clock.monotonicMs();
  while (!signal.aborted) {
    try {
      await measureQueue(deps);
      if (deps.clock.monotonicMs() >= sweepAtMs) {
        sweepAtMs = deps.clock.monotonicMs() + sweepPeriodMs;
        await sweepOnce(deps);
      }
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.loopFailures.inc({ loop: 'sweeper' });
      deps.log.warn('sweep-failed', { error });
    }
    await sleep(deps.clock, gaugePeriodMs, signal);
  }
}

/**
 * Ends lapsed leases twice a second. Silence counts only while this instance could hear: after a stall of its own process or an outage
 * of the database, workers get the length of a lease to be heard again.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { EngineDeps } from '../core/engine-deps.ts';
import { endLapsedLeases, endLeasesOfTheDead } from '../core/lease-lapses.ts';
import type { ProgressMetrics } from '../metrics.ts';

export interface LapseWatchOptions {
  readonly engine: EngineDeps;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<ProgressMetrics, 'loopFailures'>;
  /** Told of every round: whether the database answered. */
  readonly onRound: (reachable: boolean) => void;
  /** All workers are in this process: who had a lease when it began is dead, and need not be waited for. */
  readonly workersHere: boolean;
}

const periodMs = 500;
/** A round that begins so late means that this process stood still, ms. */
const stallMs = 1_500;

export async function runLapseWatch(options: LapseWatchOptions, signal: AbortSignal): Promise<void> {
  const { engine, clock, log, metrics } = options;
  let lastMs = clock.monotonicMs();
  // whoever was leased to before this instance began may need a moment to find it
  let deafUntilMs = lastMs + engine.limits.leaseMs;
  // where that fails they lapse
  if (options.workersHere) await endLeasesOfTheDead(engine).catch((error) => log.warn('leases-not-ended', { error }));
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs > stallMs) deafUntilMs = nowMs + engine.limits.leaseMs;
    lastMs = nowMs;
    try {
      if (nowMs >= deafUntilMs) await endLapsedLeases(engine);
      else await engine.store.tasks.lapsed(0, 1); // only to know that the database answers
      options.onRound(true);
    } catch (error) {
      if (signal.aborted) return;
      options.onRound(false);
      metrics.loopFailures.inc({ loop: 'lapse-watch' });
      log.warn('leases-not-watched', { error });
      deafUntilMs = clock.monotonicMs() + engine.limits.leaseMs;
    }
    lastMs = clock.monotonicMs();
    await sleep(clock, periodMs, signal);
  }
}

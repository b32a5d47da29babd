/** Removes what has ended: keys, tokens, sign-in codes and kept answers, in bounded bites. */
import { type Clock, sleep } from '@millrace/clock';
import { tombstone } from '@millrace/eventlog';
import { revokedTokensTopic, streamKeysTopic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import type { ControlStore } from '../core/store.ts';
import type { ControlMetrics } from '../metrics.ts';

export interface SweeperDeps {
  readonly store: ControlStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ControlMetrics;
}

const dayMs = 24 * 3_600_000;
/** How long ended keys and tokens stay in the lists for people to see. */
export const keptEndedMs = 7 * dayMs;
const periodMs = 60_000;
const bite = 500;

/** One round; what does not fit into a bite waits for the next. */
export async function sweepOnce({ store, clock, metrics }: SweeperDeps): Promise<void> {
  const nowMs = clock.nowMs();
  const keys = await store.transaction(async (tx) => {
    const ids = await tx.keys.sweep(nowMs - keptEndedMs, bite);
    await tx.publish(ids.map((id) => tombstone(streamKeysTopic, id)));
    return ids.length;
  });
  const tokens = await store.transaction(async (tx) => {
    const { removed, revokedJtis } = await tx.tokens.sweep(nowMs - keptEndedMs, bite);
    // an expired token is refused without its revocation
    await tx.publish(revokedJtis.map((jti) => tombstone(revokedTokensTopic, jti)));
    return removed;
  });
  metrics.sweptRows.inc({ kind: 'key' }, keys);
  metrics.sweptRows.inc({ kind: 'token' }, tokens);
  metrics.sweptRows.inc({ kind: 'code' }, await store.signIns.sweep(nowMs));
  metrics.sweptRows.inc({ kind: 'answer' }, await store.answers.sweep(nowMs, bite));
}

/** Sweeps every minute until `signal` aborts. */
export async function runSweeper(deps: SweeperDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweepOnce(deps);
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.loopFailures.inc({ loop: 'sweeper' });
      deps.log.warn('sweep-failed', { error });
    }
    await sleep(deps.clock, periodMs, signal);
  }
}

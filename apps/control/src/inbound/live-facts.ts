/** Folds live.streams.v1 into control.live_states, and notes when stream keys were used. */
import type { Batch } from '@millrace/eventlog';
import type { LiveStreamFact } from '@millrace/events';
import { foldLiveFact, type LiveRecord } from '@millrace/events';
import type { ControlStore } from '../core/store.ts';
import type { ControlMetrics } from '../metrics.ts';

export const liveFactsGroup = 'control-live-states';

/** Handler of one batch: one transaction, each stream's state written once. */
export function createLiveFactHandler(
  store: ControlStore,
  metrics: ControlMetrics,
): (batch: Pick<Batch<LiveStreamFact>, 'records'>) => Promise<void> {
  return async ({ records }) => {
    const byStream = new Map<string, { fact: LiveStreamFact; offset: bigint }[]>();
    for (const { value: fact, offset } of records) {
      if (fact === undefined) continue; // a topic of facts has no tombstones
      const list = byStream.get(fact.stream_id) ?? [];
      list.push({ fact, offset });
      byStream.set(fact.stream_id, list);
    }
    // one order of locks for everybody, so that two members cannot deadlock
    const streamIds = [...byStream.keys()].sort();
    const outcomes: ('applied' | 'stale' | 'unknown-stream')[] = [];
    await store.transaction(async (tx) => {
      const used = new Map<string, number>();
      for (const streamId of streamIds) {
        const before = await tx.live.lock(streamId);
        let state: LiveRecord | undefined = before;
        for (const { fact, offset } of byStream.get(streamId) ?? []) {
          const next = foldLiveFact(state, fact, offset);
          outcomes.push(next === state ? 'stale' : 'applied');
          state = next;
          if ('key_id' in fact) used.set(fact.key_id, Math.max(fact.at_ms, used.get(fact.key_id) ?? 0));
        }
        if (state === undefined || state === before) continue;
        if (!(await tx.live.save(state))) outcomes.push('unknown-stream');
      }
      for (const keyId of [...used.keys()].sort()) await tx.keys.touch(keyId, used.get(keyId) ?? 0);
    });
    for (const outcome of outcomes) metrics.liveFacts.inc({ outcome });
  };
}

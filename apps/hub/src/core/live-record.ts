/**
 * What the facts of a broadcast say about its stream. The fact that counts is the greatest by (epoch, ended, position in the log),
 * as control decides it (docs/decisions/0042), so that no redelivery or late fact of an older epoch changes what is shown.
 */
import type { LiveStreamFact } from '@millrace/events';
import { assertNever } from '@millrace/result';

export interface LiveRecord {
  readonly epoch: number;
  readonly ended: boolean;
  readonly position: bigint;
  readonly state: 'idle' | 'live' | 'interrupted';
  readonly publishId: string;
  /** Earliest fact of the publish session that counts, ms since 1970. */
  readonly liveSinceMs: number;
}

/** Folds one fact; returns `previous` itself when the fact changes nothing. */
export function foldLiveFact(previous: LiveRecord | undefined, fact: LiveStreamFact, position: bigint): LiveRecord {
  const next: LiveRecord = {
    epoch: fact.epoch,
    ended: fact.type === 'StreamEnded',
    position,
    state: stateAfter(fact),
    publishId: fact.publish_id,
    liveSinceMs: fact.at_ms,
  };
  if (previous === undefined) return next;
  const winner = compare(next, previous) > 0 ? next : previous;
  if (next.publishId !== previous.publishId) return winner;
  const liveSinceMs = Math.min(next.liveSinceMs, previous.liveSinceMs);
  return winner.liveSinceMs === liveSinceMs ? winner : { ...winner, liveSinceMs };
}

function stateAfter(fact: LiveStreamFact): LiveRecord['state'] {
  switch (fact.type) {
    case 'StreamPublished':
    case 'StreamResumed':
      return 'live';
    case 'StreamInterrupted':
      return 'interrupted';
    case 'StreamEnded':
      return 'idle';
    default:
      return assertNever(fact);
  }
}

function compare(a: LiveRecord, b: LiveRecord): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  if (a.ended !== b.ended) return a.ended ? 1 : -1;
  return a.position === b.position ? 0 : a.position > b.position ? 1 : -1;
}

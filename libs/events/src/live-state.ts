/**
 * What the facts of live.streams.v1 say about a stream (docs/decisions/0042), as a fold that cannot be led astray by redelivery or reordering: the fact that
 * counts is the greatest by (epoch, ended, position in the log), whatever order facts come in. `liveSinceMs` is the
 * earliest fact of the publish session that counts, so a session that changes its epoch keeps its start.
 */
import { assertNever } from '@millrace/result';
import type { LiveStreamFact } from './live-topics.ts';

export interface LiveRecord {
  readonly streamId: string;
  readonly ownerId: string;
  readonly epoch: number;
  /** An epoch that has ended does not come back; going live again needs a higher one. */
  readonly ended: boolean;
  /** Offset of the fact in its partition; a stream's facts are all in one. */
  readonly position: bigint;
  readonly state: 'idle' | 'live' | 'interrupted';
  readonly publishId: string;
  readonly instanceId: string;
  readonly liveSinceMs: number;
  /** Time of the fact that counts, ms since 1970. */
  readonly changedAtMs: number;
}

/** Folds one fact; returns `previous` itself when the fact changes nothing. */
export function foldLiveFact(previous: LiveRecord | undefined, fact: LiveStreamFact, position: bigint): LiveRecord {
  const next: LiveRecord = {
    streamId: fact.stream_id,
    ownerId: fact.owner_id,
    epoch: fact.epoch,
    ended: fact.type === 'StreamEnded',
    position,
    state: stateAfter(fact),
    publishId: fact.publish_id,
    instanceId: fact.instance_id,
    liveSinceMs: fact.at_ms,
    changedAtMs: fact.at_ms,
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

/** The steps of a broadcast that need more than one effect. */
import type { StreamEndReason } from '@millrace/events';
import {
  type Effect,
  type LossReason,
  onAirOf,
  type PublishSignal,
  type PublishState,
  type Step,
} from './publish-state.ts';

type Open = Exclude<PublishState, { kind: 'ended' }>;

/** A key of the stream was accepted for `publisher`: it begins, resumes, takes over, or is refused. */
export function granted(state: Open, signal: Extract<PublishSignal, { kind: 'granted' }>): Step {
  const { publisher, broadcast } = signal;
  const start: Effect = { kind: 'start-publisher', publisher, broadcast };
  if (state.kind === 'connecting') {
    return { state: { kind: 'authorised', publisher, broadcast, resumes: undefined }, effects: [start] };
  }
  const sameKey = state.broadcast.keyId === broadcast.keyId;
  if (state.kind === 'interrupted') {
    const onAir = { broadcast: state.broadcast, epoch: state.epoch };
    if (sameKey) {
      return {
        state: { kind: 'authorised', publisher, broadcast, resumes: onAir },
        effects: [{ kind: 'close-window' }, start],
      };
    }
    return {
      state: { kind: 'authorised', publisher, broadcast, resumes: undefined },
      effects: [
        { kind: 'close-window' },
        { kind: 'end-source', reason: 'superseded' },
        { kind: 'record', what: 'ended', ...onAir, reason: 'superseded' },
        start,
      ],
    };
  }
  if (!sameKey) return { state, effects: [{ kind: 'refuse-publisher', publisher, refusal: 'stream-busy' }] };
  return {
    state: { kind: 'authorised', publisher, broadcast, resumes: onAirOf(state) },
    effects: [{ kind: 'disconnect-publisher', publisher: state.publisher, reason: 'taken-over' }, start],
  };
}

/** The publisher's connection is gone: viewers wait for it, if they saw anything. */
export function lost(state: Open, reason: LossReason): Step {
  const onAir = onAirOf(state);
  if (onAir === undefined) return { state: { kind: 'ended', reason: 'nothing-published' }, effects: [] };
  const { broadcast, epoch } = onAir;
  return {
    state: { kind: 'interrupted', broadcast, epoch },
    effects: [
      { kind: 'interrupt-source' },
      { kind: 'open-window' },
      { kind: 'record', what: 'interrupted', broadcast, epoch, reason },
    ],
  };
}

/** The broadcast is over now, whatever it was doing. */
export function endNow(state: Open, reason: StreamEndReason): Step {
  const effects: Effect[] = [];
  if (state.kind === 'interrupted') effects.push({ kind: 'close-window' });
  const onAir = onAirOf(state);
  if (onAir !== undefined) {
    // Another ingest goes on with a stream that was superseded, so its playlists stay open.
    effects.push({ kind: 'end-source', reason: reason === 'superseded' ? 'superseded' : 'ended' });
    effects.push({ kind: 'record', what: 'ended', broadcast: onAir.broadcast, epoch: onAir.epoch, reason });
  }
  if (state.kind === 'authorised' || state.kind === 'live') {
    effects.push({ kind: 'disconnect-publisher', publisher: state.publisher, reason });
  }
  return { state: { kind: 'ended', reason: onAir === undefined ? 'nothing-published' : reason }, effects };
}

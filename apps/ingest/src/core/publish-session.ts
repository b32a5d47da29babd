/**
 * One broadcast of one stream, from the key check to its end, across re-connects of its encoder:
 * connecting -> authorised -> live -> interrupted -> ended. A pure function: signals in, the next state and effects out.
 *
 * The re-connect window belongs to the stream key, not to an address. The same key takes over at once, as an encoder that
 * re-connects does before its old connection is known to be dead. Another key is refused while the first is publishing;
 * in the window it starts a broadcast of its own.
 */

import type { Epoch, KeyId } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import {
  type Effect,
  onAirOf,
  type PublisherId,
  type PublishSignal,
  type PublishState,
  type Step,
} from './publish-state.ts';
import { endNow, granted, lost } from './publish-steps.ts';

/** The next state of a broadcast and what is to be done for it. A signal of a publisher that is no longer its own changes nothing. */
export function transition(state: PublishState, signal: PublishSignal): Step {
  if (state.kind === 'ended') return { state, effects: [] };
  switch (signal.kind) {
    case 'granted':
      return granted(state, signal);
    case 'media':
      return firstMedia(state, signal);
    case 'finished':
      return isPublisher(state, signal.publisher) ? endNow(state, 'encoder-stopped') : unchanged(state);
    case 'lost':
      return isPublisher(state, signal.publisher) ? lost(state, signal.reason) : unchanged(state);
    case 'reassigned':
      return reassigned(state, signal.epoch);
    case 'window-passed':
      return state.kind === 'interrupted' ? endNow(state, 'reconnect-window-passed') : unchanged(state);
    case 'key-revoked':
      return keyOf(state) === signal.keyId ? endNow(state, 'key-revoked') : unchanged(state);
    case 'stream-deleted':
      return endNow(state, 'stream-deleted');
    case 'superseded': {
      const own = onAirOf(state)?.epoch;
      return own !== undefined && signal.epoch > own ? endNow(state, 'superseded') : unchanged(state);
    }
    case 'draining':
      return endNow(state, 'draining');
    default:
      return assertNever(signal);
  }
}

function firstMedia(state: PublishState, signal: Extract<PublishSignal, { kind: 'media' }>): Step {
  if (state.kind !== 'authorised' || state.publisher !== signal.publisher) return unchanged(state);
  const { publisher, broadcast, resumes } = state;
  const live: PublishState = { kind: 'live', publisher, broadcast, epoch: signal.epoch };
  const opened: Effect = { kind: 'open-source', broadcast, epoch: signal.epoch };
  if (resumes === undefined) {
    return { state: live, effects: [opened, { kind: 'record', what: 'published', broadcast, epoch: signal.epoch }] };
  }
  return {
    state: live,
    effects: [
      { kind: 'end-source', reason: 'superseded' },
      opened,
      { kind: 'record', what: 'resumed', broadcast, epoch: signal.epoch },
    ],
  };
}

function reassigned(state: PublishState, epoch: Epoch): Step {
  switch (state.kind) {
    case 'live':
    case 'interrupted':
      return { state: { ...state, epoch }, effects: [] };
    case 'authorised':
      return {
        state: state.resumes === undefined ? state : { ...state, resumes: { ...state.resumes, epoch } },
        effects: [],
      };
    case 'connecting':
    case 'ended':
      return unchanged(state);
    default:
      return assertNever(state);
  }
}

function isPublisher(state: PublishState, publisher: PublisherId): boolean {
  return (state.kind === 'authorised' || state.kind === 'live') && state.publisher === publisher;
}

function keyOf(state: PublishState): KeyId | undefined {
  return state.kind === 'connecting' || state.kind === 'ended' ? undefined : state.broadcast.keyId;
}

function unchanged(state: PublishState): Step {
  return { state, effects: [] };
}

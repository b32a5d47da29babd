/**
 * What the public page shows, as a state machine. Pure: the session asks the API, drives the player, and feeds both back
 * as signals.
 *
 *     loading -> offline <-> live -> offline(ended)
 *        \-> refused (asks no more)     unreachable: keeps asking
 */
import { assertNever } from '@millrace/result';
import { type ApiError, errorText } from '../api/api-error.ts';
import type { StreamState, WatchInfo } from '../api/resources.ts';

export type LivePhase =
  | 'starting'
  | 'playing'
  /** The player has run dry; the API has not said why yet. */
  | 'waiting'
  /** The publisher's connection dropped and may come back. */
  | 'interrupted';

export type WatchState =
  | { readonly kind: 'loading' }
  | {
      readonly kind: 'offline';
      readonly info: WatchInfo;
      readonly ended: boolean;
      /** Answers "live" to disregard: right after the end the API may be a moment behind. */
      readonly disregard: number;
    }
  | { readonly kind: 'live'; readonly info: WatchInfo; readonly phase: LivePhase; readonly attempt: number }
  | { readonly kind: 'refused'; readonly reason: 'missing' | 'token'; readonly text: string }
  | { readonly kind: 'unreachable'; readonly text: string };

export type WatchSignal =
  | { readonly kind: 'info-received'; readonly info: WatchInfo }
  | { readonly kind: 'info-failed'; readonly error: ApiError }
  | { readonly kind: 'playing' }
  | { readonly kind: 'ran-dry' }
  | { readonly kind: 'playback-ended' }
  | { readonly kind: 'playback-lost' };

const liveAnswersAfterEnd = 2;

export function nextWatchState(state: WatchState, signal: WatchSignal): WatchState {
  switch (signal.kind) {
    case 'info-received':
      return onInfo(state, signal.info);
    case 'info-failed':
      return onFailure(state, signal.error);
    case 'playing':
      return state.kind === 'live' ? { ...state, phase: 'playing', attempt: 0 } : state;
    case 'ran-dry':
      return state.kind === 'live' && state.phase === 'playing' ? { ...state, phase: 'waiting' } : state;
    case 'playback-ended':
      if (state.kind !== 'live') return state;
      return { kind: 'offline', info: state.info, ended: true, disregard: liveAnswersAfterEnd };
    case 'playback-lost':
      return state.kind === 'live' ? { ...state, phase: 'starting', attempt: state.attempt + 1 } : state;
    default:
      return assertNever(signal);
  }
}

function onInfo(state: WatchState, info: WatchInfo): WatchState {
  if (info.state === 'idle') {
    // A playing player has seconds left that the API knows nothing of; its own end will say so.
    if (state.kind === 'live' && state.phase === 'playing') return state;
    const ended = state.kind === 'live' || (state.kind === 'offline' && state.ended);
    return { kind: 'offline', info, ended, disregard: 0 };
  }
  if (state.kind === 'offline' && state.disregard > 0) return { ...state, disregard: state.disregard - 1 };
  if (state.kind !== 'live') return { kind: 'live', info, phase: 'starting', attempt: 0 };
  if (state.phase === 'playing') return state;
  if (info.state === 'interrupted') return { ...state, info, phase: 'interrupted' };
  return state.phase === 'interrupted' ? { ...state, info, phase: 'waiting' } : { ...state, info };
}

function onFailure(state: WatchState, error: ApiError): WatchState {
  if (error.kind === 'refused' && error.status === 404) {
    return { kind: 'refused', reason: 'missing', text: 'There is no stream at this address. Check the link.' };
  }
  if (error.kind === 'signed-out' || (error.kind === 'refused' && error.status === 403)) {
    const text = 'This stream is private. Ask the broadcaster for a new link: yours has no access, or has expired.';
    return { kind: 'refused', reason: 'token', text };
  }
  // What plays goes on playing: media does not come from the API.
  if (state.kind === 'live' || state.kind === 'offline') return state;
  return { kind: 'unreachable', text: errorText(error) };
}

/** Whether the page shows something else than what the stream is said to be, so that it is time to ask. */
export function differs(state: WatchState, told: StreamState): boolean {
  if (state.kind === 'live') return told !== 'live' || state.phase === 'interrupted';
  return state.kind !== 'refused' && told !== 'idle';
}

/** When to ask the API again, ms; undefined: not until something changes. `told`: what the hub says. */
export function nextAskMs(state: WatchState, told?: StreamState): number | undefined {
  switch (state.kind) {
    case 'loading':
    case 'refused':
      return undefined;
    case 'offline':
      // The hub will say when it starts; until then asking is for what even the hub may miss.
      return told === 'idle' && state.disregard === 0 ? 20_000 : 2_000;
    case 'unreachable':
      return 2_000;
    case 'live':
      return state.phase === 'playing' ? undefined : 2_000;
    default:
      return assertNever(state);
  }
}

/**
 * Who has a source: nobody yet, a worker, nobody any more. Pure: the feed in `outbound` runs the effects. A source that was
 * on air and is over is still offered for a while when no worker holds it, so that somebody can close its playlists.
 */
import { assertNever } from '@millrace/result';

export type AssignmentState =
  /** No media yet: nothing to assign. */
  | { readonly kind: 'empty' }
  /** Media, but no worker. `phase`: what the publisher is doing; `aired`: some worker had it before. */
  | { readonly kind: 'unassigned'; readonly phase: Phase; readonly aired: boolean }
  | { readonly kind: 'assigned'; readonly phase: 'flowing' | 'interrupted' }
  | { readonly kind: 'over' };

type Phase = 'flowing' | 'interrupted' | 'ended';

export type AssignmentSignal =
  | { readonly kind: 'media' }
  | { readonly kind: 'worker-parked' }
  /** The outcome of `offer`. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'no-worker' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'ended'; readonly reason: 'ended' | 'superseded' }
  /** Nobody came to close the playlists in time. */
  | { readonly kind: 'linger-passed' };

export type AssignmentEffect =
  /** Ask the parked workers under a new epoch; on success hand over the cached tags. */
  | { readonly kind: 'offer' }
  | { readonly kind: 'tell-interrupted' }
  | { readonly kind: 'end-claim'; readonly reason: 'ended' | 'superseded' }
  | { readonly kind: 'linger' }
  | { readonly kind: 'close' };

export interface AssignmentStep {
  readonly state: AssignmentState;
  readonly effects: readonly AssignmentEffect[];
}

const offer: AssignmentEffect = { kind: 'offer' };
const close: AssignmentEffect = { kind: 'close' };
const over: AssignmentState = { kind: 'over' };

/** The next state of a source's assignment. */
export function assign(state: AssignmentState, signal: AssignmentSignal): AssignmentStep {
  switch (state.kind) {
    case 'empty':
      return fromEmpty(state, signal);
    case 'unassigned':
      return fromUnassigned(state, signal);
    case 'assigned':
      return fromAssigned(state, signal);
    case 'over':
      return { state, effects: [] };
    default:
      return assertNever(state);
  }
}

function fromEmpty(state: AssignmentState, signal: AssignmentSignal): AssignmentStep {
  if (signal.kind === 'media')
    return { state: { kind: 'unassigned', phase: 'flowing', aired: false }, effects: [offer] };
  return signal.kind === 'ended' ? { state: over, effects: [close] } : { state, effects: [] };
}

function fromUnassigned(
  state: Extract<AssignmentState, { kind: 'unassigned' }>,
  signal: AssignmentSignal,
): AssignmentStep {
  switch (signal.kind) {
    case 'worker-parked':
      return { state, effects: [offer] };
    case 'taken':
      if (state.phase === 'flowing') return { state: { kind: 'assigned', phase: 'flowing' }, effects: [] };
      if (state.phase === 'ended') return { state: over, effects: [{ kind: 'end-claim', reason: 'ended' }, close] };
      return { state: { kind: 'assigned', phase: 'interrupted' }, effects: [{ kind: 'tell-interrupted' }] };
    case 'interrupted':
      return { state: { ...state, phase: 'interrupted' }, effects: [] };
    case 'ended':
      if (!state.aired || signal.reason === 'superseded') return { state: over, effects: [close] };
      return { state: { ...state, phase: 'ended' }, effects: [{ kind: 'linger' }] };
    case 'linger-passed':
      return { state: over, effects: [close] };
    case 'media':
    case 'no-worker':
    case 'lost':
      return { state, effects: [] };
    default:
      return assertNever(signal);
  }
}

function fromAssigned(state: Extract<AssignmentState, { kind: 'assigned' }>, signal: AssignmentSignal): AssignmentStep {
  switch (signal.kind) {
    case 'lost':
      return { state: { kind: 'unassigned', phase: state.phase, aired: true }, effects: [offer] };
    case 'interrupted':
      if (state.phase === 'interrupted') return { state, effects: [] };
      return { state: { kind: 'assigned', phase: 'interrupted' }, effects: [{ kind: 'tell-interrupted' }] };
    case 'ended':
      return { state: over, effects: [{ kind: 'end-claim', reason: signal.reason }, close] };
    case 'media':
    case 'worker-parked':
    case 'taken':
    case 'no-worker':
    case 'linger-passed':
      return { state, effects: [] };
    default:
      return assertNever(signal);
  }
}

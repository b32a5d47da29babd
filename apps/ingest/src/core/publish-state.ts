/** States, signals and effects of a broadcast: the words of `publish-session.ts`. */
import type { StreamEndReason } from '@millrace/events';
import type { Epoch, KeyId, OwnerId, PublishId, StreamId } from '@millrace/ids';

/** One connection of an encoder, for the life of the process. */
export type PublisherId = number;

/** What was granted to the key that a publisher showed. */
export interface Broadcast {
  readonly streamId: StreamId;
  readonly ownerId: OwnerId;
  readonly keyId: KeyId;
  /** One per publish: a re-connect has a new one. */
  readonly publishId: PublishId;
  readonly latencyMode: 'low' | 'standard';
  readonly encoder: string | undefined;
}

/** What a stream has that is on air or may resume: its last fence, and who sent it. */
export interface OnAir {
  readonly broadcast: Broadcast;
  readonly epoch: Epoch;
}

export type PublishState =
  /** A key is being checked. */
  | { readonly kind: 'connecting' }
  /** Publish.Start was said, no media came yet. `resumes`: what it goes on with, if it does. */
  | {
      readonly kind: 'authorised';
      readonly publisher: PublisherId;
      readonly broadcast: Broadcast;
      readonly resumes: OnAir | undefined;
    }
  | ({ readonly kind: 'live'; readonly publisher: PublisherId } & OnAir)
  | ({ readonly kind: 'interrupted' } & OnAir)
  | { readonly kind: 'ended'; readonly reason: StreamEndReason | 'nothing-published' };

export type LossReason = 'closed' | 'timed-out' | 'protocol-error';

export type PublishSignal =
  | { readonly kind: 'granted'; readonly publisher: PublisherId; readonly broadcast: Broadcast }
  /** The first media of a publisher; `epoch` is its fence. */
  | { readonly kind: 'media'; readonly publisher: PublisherId; readonly epoch: Epoch }
  /** The encoder said that it stops. */
  | { readonly kind: 'finished'; readonly publisher: PublisherId }
  | { readonly kind: 'lost'; readonly publisher: PublisherId; readonly reason: LossReason }
  /** The source went to another worker under a higher epoch. */
  | { readonly kind: 'reassigned'; readonly epoch: Epoch }
  | { readonly kind: 'window-passed' }
  | { readonly kind: 'key-revoked'; readonly keyId: KeyId }
  | { readonly kind: 'stream-deleted' }
  /** Another ingest has the stream under this epoch. */
  | { readonly kind: 'superseded'; readonly epoch: Epoch }
  | { readonly kind: 'draining' };

export interface Step {
  readonly state: PublishState;
  readonly effects: readonly Effect[];
}

/** What the owner of a broadcast does after a transition, in order. */
export type Effect =
  /** Say Publish.Start and take media. */
  | { readonly kind: 'start-publisher'; readonly publisher: PublisherId; readonly broadcast: Broadcast }
  | { readonly kind: 'refuse-publisher'; readonly publisher: PublisherId; readonly refusal: 'stream-busy' }
  | {
      readonly kind: 'disconnect-publisher';
      readonly publisher: PublisherId;
      readonly reason: StreamEndReason | 'taken-over';
    }
  | { readonly kind: 'open-source'; readonly broadcast: Broadcast; readonly epoch: Epoch }
  | { readonly kind: 'interrupt-source' }
  | { readonly kind: 'end-source'; readonly reason: 'ended' | 'superseded' }
  | { readonly kind: 'open-window' }
  | { readonly kind: 'close-window' }
  | {
      readonly kind: 'record';
      readonly what: 'published' | 'resumed';
      readonly broadcast: Broadcast;
      readonly epoch: Epoch;
    }
  | {
      readonly kind: 'record';
      readonly what: 'interrupted';
      readonly broadcast: Broadcast;
      readonly epoch: Epoch;
      readonly reason: LossReason;
    }
  | {
      readonly kind: 'record';
      readonly what: 'ended';
      readonly broadcast: Broadcast;
      readonly epoch: Epoch;
      readonly reason: StreamEndReason;
    };

/** What of the stream viewers may be watching; undefined before any media. */
export function onAirOf(state: PublishState): OnAir | undefined {
  if (state.kind === 'live' || state.kind === 'interrupted') return { broadcast: state.broadcast, epoch: state.epoch };
  return state.kind === 'authorised' ? state.resumes : undefined;
}

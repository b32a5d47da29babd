/** What the core of ingest drives, as narrow as it uses it; `inbound` and `outbound` implement these. */
import type { HealthSample, StreamEndReason } from '@millrace/events';
import type { MediaTag } from '@millrace/flv';
import type { Epoch, StreamId } from '@millrace/ids';
import type { Broadcast, Effect } from './publish-state.ts';

/** The connection of an encoder, as the owner of its broadcast sees it. */
export interface Publisher {
  /** The key was accepted: say so, and take media. */
  start(broadcast: Broadcast): void;
  /** It was not: say why, and close. */
  refuse(refusal: PublishRefusal): void;
  /** Its broadcast is over or goes on elsewhere: say why, and close. */
  disconnect(reason: StreamEndReason | 'taken-over'): void;
  /** Stop and go on reading from it. */
  pause(): void;
  resume(): void;
}

/** Why a publish is not accepted; a bounded metric label. */ export type PublishRefusal =
  | 'unknown-key'
  | 'revoked-key'
  | 'expired-key'
  | 'unknown-stream'
  | 'stream-busy'
  | 'not-ready'
  | 'draining';

/** Where the tags of one publish go. */
export interface SourceFeed {
  /** False: the publisher must pause until `onDrain`. */
  tag(tag: MediaTag): boolean;
  interrupted(): void;
  end(reason: 'ended' | 'superseded'): void;
}

export interface SourceEvents {
  readonly onDrain: () => void;
  /** The source went to another worker under this epoch. */
  readonly onReassigned: (epoch: Epoch) => void;
}

export interface SourceOpener {
  open(broadcast: Broadcast, epoch: Epoch, events: SourceEvents): SourceFeed;
}

/** Where facts and samples go; never waits. */
export interface FactSink {
  record(fact: Extract<Effect, { kind: 'record' }>): void;
  health(sample: HealthSample): void;
}

/** The fences of streams: never one at or below another that was seen. */
export interface EpochSource {
  next(streamId: StreamId): Epoch;
}

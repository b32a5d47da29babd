/**
 * The port between ingest and transcode: a worker parks, ingest assigns it a source, tags flow down and heartbeats flow
 * up. The connection is the lease and the epoch its fence (1.5 s without a heartbeat ends a claim). Two adapters: by
 * reference in one process, and FLV over an upgraded HTTP/1.1 connection.
 */
import type { MediaTag } from '@millrace/flv';
import type { Epoch, PublishId, StreamId } from '@millrace/ids';
import type { Result } from '@millrace/result';

/** What a worker is told about the source it got. */
export interface SourceAssignment {
  readonly streamId: StreamId;
  readonly epoch: Epoch;
  /** One per publish of an encoder. The same publishId under a higher epoch: take over from another worker, no discontinuity. */
  readonly publishId: PublishId;
  readonly latencyMode: 'low' | 'standard';
  /** Wall clock, ms, at which media time `originTimestampMs` of this publish arrived: the anchor of PROGRAM-DATE-TIME. */
  readonly originWallMs: number;
  readonly originTimestampMs: number;
  /** Unwrapped timestamp of the first tag that will be sent, ms; a reader of 32-bit timestamps unwraps from here. */
  readonly firstTimestampMs: number;
}

/**
 * `interrupted` is not an end: the publisher is gone but may come back within the re-connect window. Ends: `ended` (the broadcast is
 * over: write ENDLIST), `superseded` (another publish of this stream goes on under a newer epoch: write what is there and leave the
 * window open), `lost` (the connection to ingest broke: leave the window open).
 */
export type SourceEnd = 'ended' | 'superseded' | 'lost';

/** What a worker does with a source. Calls come in order and must not throw. */
export interface SourceHandler {
  /** Takes a tag. Returns false when the worker is behind: ingest then slows the publisher until `SourceLink.resume`. */
  tag(tag: MediaTag): boolean;
  /** Close the open part now: no media until a new assignment or an end. */
  interrupted(): void;
  /** The last call. */
  end(reason: SourceEnd): void;
}

/** What a worker may tell ingest about its claim. */
export interface SourceLink {
  /** Renews the lease; call every 250 ms with the DTS (ms) of the last packaged frame, undefined before the first. */
  heartbeat(lastPackagedMs: number | undefined): void;
  /** Ready for tags again after `tag` returned false. */
  resume(): void;
  /** Gives the claim back, with a reason for the log; ingest offers the source to another worker. The handler gets no further call. */
  release(reason: string): void;
}

/** The worker's side: where it parks. Closing takes the worker out; sources it already holds go on. */
export interface SourceDesk {
  /** Parks `slots` times; each assignment uses one slot until its end. `accept` must not throw. */
  park(options: {
    readonly workerId: string;
    readonly slots: number;
    readonly accept: (assignment: SourceAssignment, link: SourceLink) => SourceHandler;
  }): AsyncDisposable;
}

export type ClaimLoss = 'worker-released' | 'worker-silent' | 'worker-disconnected';

/** Ingest's view of a source that a worker holds. */
export interface Claim {
  readonly workerId: string;
  /** Hands a tag down. False: more is buffered than the adapter wants; wait for `onDrain`. */
  tag(tag: MediaTag): boolean;
  interrupted(): void;
  /** Ends the claim from ingest's side; `onLost` is not called afterwards. */
  end(reason: Exclude<SourceEnd, 'lost'>): void;
}

/** What ingest is told about a claim; never from inside one of its own calls. */
export interface ClaimEvents {
  /** The worker gave the source back, fell silent for 1.5 s or went away. Called once, never after `end`. */
  readonly onLost: (loss: ClaimLoss, detail: string) => void;
  /** Ready for tags again after `tag` returned false. */
  readonly onDrain: () => void;
  readonly onHeartbeat?: (lastPackagedMs: number | undefined) => void;
}

/** Ingest's side: the workers that wait for a source. */
export interface ParkedWorkers {
  /** How many could be assigned now. */
  readonly idle: number;
  /** Gives a source to the worker that waits longest since it parked or got its last source. */
  assign(assignment: SourceAssignment, events: ClaimEvents): Result<Claim, { readonly kind: 'no-worker' }>;
  /** Calls back whenever a worker parks, after the call that parked it has returned; returns how to stop. */
  onParked(listener: () => void): () => void;
}

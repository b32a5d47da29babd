/**
 * The port between transcode and delivery. Delivery owns the live window, media sequence numbers included: a write says
 * which part it is, delivery takes only the next expected one, and otherwise refuses with what it expects
 * Two adapters: by reference, and CMAF by chunked HTTP PUT.
 */
import type { Epoch, PublishId, StreamId } from '@millrace/ids';
import type { Result } from '@millrace/result';

/** A track as the playlist declares it and its init section. Rendition names: `video`, `audio`; lower rungs come later. */
export interface RenditionSpec {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  /** RFC 6381, e.g. `avc1.64001f`, `mp4a.40.2`. */
  readonly codecs: string;
  /** Ticks per second of `dts` and `duration`. */
  readonly timescale: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly channels?: number;
  readonly sampleRate?: number;
  /** ftyp + moov. */
  readonly init: Uint8Array;
}

export interface OpenWindow {
  readonly streamId: StreamId;
  readonly epoch: Epoch;
  readonly publishId: PublishId;
  /** Asked for; fixed for the life of the playlist, so an open window's own values win (see WindowState). */
  readonly settings: WindowSettings;
  /** All tracks. An open with other init bytes than before (codec change) starts a discontinuity. */
  readonly renditions: readonly RenditionSpec[];
}

/** Fixed for the life of a playlist. */
export interface WindowSettings {
  /** EXT-X-TARGETDURATION, whole seconds: 2 or 4. */
  readonly targetDurationS: number;
  /** EXT-X-PART-INF:PART-TARGET of every playlist of the window, s; never exceeded by a part. */
  readonly partTargetS: number;
  /** The duration the packager aims at when it groups frames into a part, ms (k whole frames). */
  readonly partDurationMs: number;
}

/** What a writer must know to go on where the window ends. */
export interface WindowState {
  readonly settings: WindowSettings;
  /** True: nothing of this publish is listed yet; the first part must start a new segment (and a discontinuity if the window is not empty). */
  readonly fresh: boolean;
  readonly renditions: readonly RenditionPosition[];
}

/** The last frame that is listed, for a successor that gets the same frames again: its timestamps decide nothing that is decided. */
export interface ListedFrame {
  /** Timestamp that the publisher gave it, ms. */
  readonly timestampMs: number;
  /** Decode time that the frame behind it would get if timestamps were exact, ticks: where the writer's sample counter stood. */
  readonly counterDts: number;
}

export interface RenditionPosition {
  readonly name: string;
  /** The next part it will take: `segment` is the media sequence number. */
  readonly next: { readonly segment: number; readonly part: number };
  /** Decode time at which the next part should start, ticks; undefined when nothing of this publish is listed. */
  readonly nextDts: number | undefined;
  /** The last frame of the last part, as its writer marked it; video has none, its decode times are its timestamps. */
  readonly lastFrame?: ListedFrame | undefined;
  /** Segments of the current discontinuity, oldest first (at most 8): a successor finds its cut by `startDts`. */
  readonly segments: readonly { readonly segment: number; readonly startDts: number; readonly complete: boolean }[];
}

export interface PartWrite {
  readonly streamId: StreamId;
  readonly epoch: Epoch;
  readonly rendition: string;
  /** Media sequence number and part index. */
  readonly segment: number;
  readonly part: number;
  /** Decode time of the first sample and sum of the sample durations, ticks of the rendition's timescale. */
  readonly dts: number;
  readonly duration: number;
  /** Starts with an IDR (video) or a sync sample (audio: always). */
  readonly independent: boolean;
  /** On part 0: the segment starts a discontinuity. */
  readonly discontinuity: boolean;
  /** On part 0: wall clock of the first sample's presentation, ms. */
  readonly programDateTimeMs: number | undefined;
  /** The last part of its segment. */
  readonly last: boolean;
  /** Audio: the last frame in it. */
  readonly lastFrame?: ListedFrame | undefined;
  /** moof + mdat, as slices of memory that is never written again. */
  readonly bytes: readonly Uint8Array[];
}

export type WriteRefusal =
  /** A writer with a higher epoch exists: give the source up. */
  | { readonly kind: 'stale-epoch'; readonly current: Epoch }
  /** Not the next part: delivery says what it expects. */
  | { readonly kind: 'unexpected-part'; readonly expected: { readonly segment: number; readonly part: number } }
  | { readonly kind: 'unknown-stream'; readonly message: string }
  | { readonly kind: 'not-open'; readonly message: string }
  | { readonly kind: 'bad-part'; readonly message: string }
  /** Delivery cannot be reached or gave no answer in time; try again. */
  | { readonly kind: 'unavailable'; readonly message: string };

/** Whether an origin has a window of a stream, and by which writer it was last written or ended. */
export type WindowStanding = { readonly kind: 'none' } | { readonly kind: 'live' | 'ended'; readonly epoch: Epoch };

/** Implemented by delivery (by reference) and by the HTTP client. Writes of one rendition are made one after another. */
export interface LiveWindowWriter {
  open(window: OpenWindow): Promise<Result<WindowState, WriteRefusal>>;
  part(write: PartWrite): Promise<Result<void, WriteRefusal>>;
  /** The broadcast is over: the playlists get EXT-X-ENDLIST. */
  end(stream: { readonly streamId: StreamId; readonly epoch: Epoch }): Promise<Result<void, WriteRefusal>>;
}

/** A writer's end that can also be asked where a stream stands: what choosing among several origins takes. */
export interface LiveWindowOrigin extends LiveWindowWriter {
  standing(streamId: StreamId): Promise<Result<WindowStanding, WriteRefusal>>;
}

/**
 * Packages one source: FLV tags in, window writes out. Pure: it is told of tags and of opened windows, and says what to
 * open and to write. Every discontinuity (a jump of timestamps, other codecs, a track more, media lost at a take-over)
 * is one thing here: what waits is flushed, and the window is opened again with other init bytes.
 */
import type { AudioConfig, AudioFrame, MediaTag, VideoConfig, VideoFrame } from '@millrace/flv';
import type { RenditionSpec, SourceAssignment, WindowSettings, WindowState } from '@millrace/handover';
import { assertNever } from '@millrace/result';
import type { CutPart } from './cut-part.ts';
import { type PackagedPart, packagePart } from './packaged-part.ts';
import { ProgramDate } from './program-date.ts';
import { StreamProbe } from './stream-probe.ts';
import { planTakeover } from './takeover.ts';
import { type DropReason, Timeline } from './timeline.ts';
import {
  type AudioTrack,
  describeRenditions,
  readAudioTrack,
  readVideoTrack,
  type SourceTracks,
  sameRecord,
  type VideoTrack,
} from './track-formats.ts';

/** Timestamps that go back by more, or ahead by more, are another timeline, ms. */
const jumpBackMs = 500;
const jumpAheadMs = 3_000;

/** What the packager wants done, in order. */
export interface PackagerActions {
  /** Open (or open again) the window and answer with `opened`; nothing is written before. */
  open(settings: WindowSettings, renditions: readonly RenditionSpec[]): void;
  part(part: PackagedPart): void;
  /** Something was not packaged: a frame, or a sequence header we cannot read. */
  dropped(reason: PackagerDrop): void;
  discontinuity(reason: DiscontinuityReason): void;
  silence(): void;
}

export type PackagerDrop = DropReason | 'no-config' | 'bad-config' | 'before-keyframe' | 'negative-time';
export type DiscontinuityReason = 'timestamp-jump' | 'codec-change' | 'track-change' | 'out-of-reach';

type State =
  /** Collects tags until the window can be opened, and while it is being opened. */
  | { readonly kind: 'probing'; readonly probe: StreamProbe }
  | { readonly kind: 'opening' }
  | { readonly kind: 'live'; readonly timeline: Timeline; readonly rateOf: ReadonlyMap<string, number> };

export type PackagerAssignment = Pick<
  SourceAssignment,
  'latencyMode' | 'originWallMs' | 'originTimestampMs' | 'firstTimestampMs'
>;

export class Packager {
  readonly #assignment: PackagerAssignment;
  readonly #actions: PackagerActions;
  #state: State;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  /** The tracks of the open window. */
  #opened: SourceTracks = { video: undefined, audio: undefined };
  #settings: WindowSettings | undefined;
  #waiting: (VideoFrame | AudioFrame)[] = [];
  #waitingBytes = 0;
  #timelines = 0;
  /** Opens that were asked for and overtaken by a discontinuity: their answers count no more. */
  #staleOpens = 0;
  #lastMs: number | undefined;
  #ended = false;
  readonly #dates: ProgramDate;

  constructor(assignment: PackagerAssignment, actions: PackagerActions) {
    this.#assignment = assignment;
    this.#actions = actions;
    this.#dates = new ProgramDate(assignment.originWallMs, assignment.originTimestampMs);
    this.#state = { kind: 'probing', probe: new StreamProbe(assignment) };
  }

  /** Media bytes that are not in a part yet. */
  get bufferedBytes(): number {
    return this.#waitingBytes + (this.#state.kind === 'live' ? this.#state.timeline.bufferedBytes : 0);
  }

  /** Takes the next tag; `wallMs` is now, the anchor of dates after a jump of timestamps. */
  tag(tag: MediaTag, wallMs: number): void {
    switch (tag.kind) {
      case 'video-frame':
        return this.#frame(tag, this.#video !== undefined, wallMs);
      case 'audio-frame':
        return this.#frame(tag, this.#audio !== undefined, wallMs);
      case 'video-config':
        return this.#onVideoConfig(tag);
      case 'audio-config':
        return this.#onAudioConfig(tag);
      case 'data':
      case 'end-of-sequence':
        return;
      default:
        return assertNever(tag);
    }
  }

  /** The window was opened as asked; `state` is where to go on. */
  opened(state: WindowState): void {
    this.#settings = state.settings;
    if (this.#staleOpens > 0) {
      this.#staleOpens--;
      return;
    }
    if (this.#state.kind !== 'opening') throw new Error(`opened while ${this.#state.kind}`);
    const video = this.#waiting.filter((tag) => tag.kind === 'video-frame');
    const firstAudioMs = this.#waiting.find((tag) => tag.kind === 'audio-frame')?.timestampMs ?? 0;
    const plan = planTakeover(state, this.#opened.video && video, firstAudioMs);
    if (plan.kind === 'out-of-reach') return this.#reopen('out-of-reach');
    const timeline = new Timeline({
      settings: state.settings,
      tracks: this.#opened,
      plan,
      state,
      emit: (rendition, part) => this.#emit(rendition, part),
      onDrop: (reason) => this.#actions.dropped(reason),
      onSilence: () => this.#actions.silence(),
    });
    const rateOf = new Map<string, number>([['video', 90]]);
    if (this.#opened.audio) rateOf.set('audio', this.#opened.audio.format.sampleRate / 1_000);
    this.#state = { kind: 'live', timeline, rateOf };
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const tag of waiting) {
      if (tag.kind === 'audio-frame') timeline.audio(tag);
      else timeline.video(tag);
    }
    if (this.#ended) timeline.flush();
  }

  /** No media follows: the publisher is gone, for now or for good. What waits becomes parts. */
  flush(): void {
    this.#ended = true;
    if (this.#state.kind === 'live') return this.#state.timeline.flush();
    if (this.#state.kind === 'probing' && this.#state.probe.begun(this.#tracks)) this.#open(this.#state.probe);
  }

  get #tracks(): SourceTracks {
    return { video: this.#video, audio: this.#audio };
  }

  #onVideoConfig(tag: VideoConfig): void {
    if (this.#video && sameRecord(this.#video.record, tag.record)) return;
    const track = readVideoTrack(tag);
    if (!track.ok) return this.#actions.dropped('bad-config');
    const known = this.#video !== undefined;
    this.#video = track.value;
    this.#onTracks(known);
  }

  #onAudioConfig(tag: AudioConfig): void {
    if (this.#audio && sameRecord(this.#audio.record, tag.record)) return;
    const track = readAudioTrack(tag);
    if (!track.ok) return this.#actions.dropped('bad-config');
    const known = this.#audio !== undefined;
    this.#audio = track.value;
    this.#onTracks(known);
  }

  /** A sequence header is new: on air it means another window content. Before, what was collected is of no use any more. */
  #onTracks(known: boolean): void {
    if (this.#state.kind === 'probing') {
      if (known) this.#probeAgain();
      return;
    }
    this.#discontinuity(known ? 'codec-change' : 'track-change');
  }

  #frame(tag: VideoFrame | AudioFrame, configured: boolean, wallMs: number): void {
    if (!configured) return this.#actions.dropped('no-config');
    if (tag.timestampMs < 0) return this.#actions.dropped('negative-time');
    const leads = tag.kind === 'video-frame' || this.#video === undefined;
    if (leads && this.#jumps(tag.timestampMs)) {
      this.#discontinuity('timestamp-jump');
      this.#dates.rebase(tag.timestampMs, wallMs);
    }
    if (leads) this.#lastMs = tag.timestampMs;
    const state = this.#state;
    if (state.kind === 'live') {
      if (tag.kind === 'audio-frame') state.timeline.audio(tag);
      else state.timeline.video(tag);
      return;
    }
    this.#collect(tag);
    if (state.kind !== 'probing') return;
    state.probe.frame(tag);
    const { probe } = state;
    const decided = this.#settings !== undefined && probe.begun(this.#tracks); // an open window has its settings
    if (decided || probe.ready(this.#tracks)) this.#open(probe);
  }

  /** Keeps a tag for when the window is open: everything from the first keyframe on, and audio. */
  #collect(tag: VideoFrame | AudioFrame): void {
    const begins = tag.kind === 'audio-frame' || tag.keyframe || this.#waiting.some(isVideo);
    if (!begins) return this.#actions.dropped('before-keyframe');
    this.#waiting.push(tag);
    this.#waitingBytes += tag.payload.length;
  }

  #jumps(timestampMs: number): boolean {
    if (this.#lastMs === undefined) return false;
    const step = timestampMs - this.#lastMs;
    return step < -jumpBackMs || step > jumpAheadMs;
  }

  #open(probe: StreamProbe): void {
    this.#opened = this.#tracks;
    this.#state = { kind: 'opening' };
    this.#actions.open(
      this.#settings ?? probe.settings(this.#opened),
      describeRenditions(this.#opened, this.#timelines),
    );
  }

  /** Ends the stretch that is on air; what follows goes into the window after it was opened again. */
  #discontinuity(reason: DiscontinuityReason): void {
    if (this.#state.kind === 'live') this.#state.timeline.flush();
    else if (this.#state.kind === 'opening') this.#staleOpens++; // opened once more, for the stretch that follows
    if (this.#state.kind !== 'probing') {
      this.#actions.discontinuity(reason);
      // Other tracks have other init bytes by themselves, which a successor knows as well.
      this.#timelines = reason === 'timestamp-jump' ? this.#timelines + 1 : 0;
    }
    this.#probeAgain();
  }

  #probeAgain(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#lastMs = undefined;
    this.#state = { kind: 'probing', probe: new StreamProbe(this.#assignment) };
  }

  /** The same media under another timeline. */
  #reopen(reason: DiscontinuityReason): void {
    this.#actions.discontinuity(reason);
    this.#timelines++;
    this.#actions.open(this.#settings ?? unreachable(), describeRenditions(this.#opened, this.#timelines));
  }

  #emit(rendition: string, part: CutPart): void {
    const state = this.#state;
    const ticksPerMs = (state.kind === 'live' ? state.rateOf.get(rendition) : undefined) ?? unreachable();
    this.#actions.part(packagePart(rendition, part, ticksPerMs, this.#dates));
  }
}

function isVideo(tag: VideoFrame | AudioFrame): boolean {
  return tag.kind === 'video-frame';
}

function unreachable(): never {
  throw new Error('a part outside an open window');
}

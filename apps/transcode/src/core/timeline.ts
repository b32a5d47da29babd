/**
 * One stretch of media without a discontinuity, packaged into an open window. Audio follows the video's cuts, so an audio
 * frame waits until video has reached its time (1 s at most): a keyframe before it may still begin a segment.
 */
import type { AudioFrame, VideoFrame } from '@millrace/flv';
import type { WindowSettings, WindowState } from '@millrace/handover';
import { AudioCutter } from './audio-cutter.ts';
import type { CutPart } from './cut-part.ts';
import { cutRules, videoTimescale } from './packaging-rules.ts';
import { silentFrame } from './silence.ts';
import type { TakeoverPlan } from './takeover.ts';
import type { SourceTracks } from './track-formats.ts';
import { VideoCutter } from './video-cutter.ts';

/** Longest wait of an audio frame for the video beside it, ms. */
const audioHoldMs = 1_000;
/** Audio that is this late is taken to be missing, and silence stands in for it, ms. */
const audioLateMs = 1_500;
/** Audio this far from the video beside it belongs to another clock, ms. */
const offClockMs = 3_000;

/** Why a frame was not packaged; the label of a metric. */
export type DropReason = 'before-start' | 'audio-overlap' | 'audio-off-clock' | 'audio-without-video';

export interface TimelineOptions {
  readonly settings: WindowSettings;
  readonly tracks: SourceTracks;
  readonly plan: Extract<TakeoverPlan, { kind: 'start' }>;
  /** What is listed already: parts before `next` are made again and left out. */
  readonly state: WindowState;
  readonly emit: (rendition: string, part: CutPart) => void;
  readonly onDrop: (reason: DropReason) => void;
  readonly onSilence: () => void;
}

export class Timeline {
  readonly #options: TimelineOptions;
  readonly #video: VideoCutter | undefined;
  readonly #audio: AudioCutter | undefined;
  readonly #silence: Uint8Array | undefined;
  #held: AudioFrame[] = [];
  #heldFrom = 0;
  #videoMs: number | undefined;

  constructor(options: TimelineOptions) {
    this.#options = options;
    const { settings, tracks, plan } = options;
    const { video, audio } = tracks;
    if (audio !== undefined) {
      this.#audio = new AudioCutter({
        rules: cutRules(settings, audio.format.sampleRate),
        sampleRate: audio.format.sampleRate,
        samplesPerFrame: audio.format.samplesPerFrame,
        alone: video === undefined,
        start: plan.audio,
        emit: this.#emitterOf('audio'),
      });
      this.#silence = silentFrame(audio.format);
      for (const cut of plan.cuts) this.#audio.cut(cut.segment, cut.startTicks);
    }
    if (video !== undefined && plan.video !== undefined) {
      const rules = cutRules(settings, videoTimescale);
      this.#video = new VideoCutter(rules, plan.video, this.#emitterOf('video'), (segment, startTicks) =>
        this.#audio?.cut(segment, startTicks),
      );
    }
  }

  get bufferedBytes(): number {
    let bytes = (this.#video?.bufferedBytes ?? 0) + (this.#audio?.bufferedBytes ?? 0);
    for (let i = this.#heldFrom; i < this.#held.length; i++) bytes += this.#held[i]?.payload.length ?? 0;
    return bytes;
  }
  /** How often the audio clock was anchored again. */
  get audioAnchors(): number {
    return this.#audio?.anchors ?? 0;
  }

  video(frame: VideoFrame): void {
    if (this.#video === undefined) return;
    this.#video.frame(frame);
    this.#videoMs = frame.timestampMs;
    if (this.#audio === undefined) return;
    this.#release(frame.timestampMs);
    this.#fillSilence(this.#audio, frame.timestampMs);
  }

  audio(frame: AudioFrame): void {
    if (this.#audio === undefined) return;
    if (this.#video === undefined) return this.#place(this.#audio, frame);
    if (this.#videoMs !== undefined && Math.abs(frame.timestampMs - this.#videoMs) > offClockMs) {
      return this.#options.onDrop('audio-off-clock');
    }
    this.#held.push(frame);
    this.#release(Math.max(this.#videoMs ?? Number.NEGATIVE_INFINITY, frame.timestampMs - audioHoldMs));
  }

  /** No more media in this stretch: everything that waits becomes parts, and both tracks end in the same segment. */
  flush(): void {
    this.#video?.flush();
    this.#release(Number.POSITIVE_INFINITY);
    // Encoders send audio behind its video. A segment that only video began would stay a gap in the audio's playlist.
    const { behind = 0 } = this.#audio ?? {};
    if (this.#audio !== undefined && behind > 0) this.#addSilence(this.#audio, this.#videoMs ?? 0, true);
    this.#audio?.flush();
  }

  /** Places the held audio up to `untilMs`. */
  #release(untilMs: number): void {
    if (this.#audio === undefined) return;
    for (; this.#heldFrom < this.#held.length; this.#heldFrom++) {
      const frame = this.#held[this.#heldFrom];
      if (frame === undefined || frame.timestampMs > untilMs) break;
      this.#place(this.#audio, frame);
    }
    if (this.#heldFrom === this.#held.length && this.#heldFrom > 0) {
      this.#held = [];
      this.#heldFrom = 0;
    } else if (this.#heldFrom > 64) {
      this.#held.splice(0, this.#heldFrom);
      this.#heldFrom = 0;
    }
  }

  #place(audio: AudioCutter, frame: AudioFrame): void {
    if (frame.timestampMs < this.#options.plan.fromMs) return this.#options.onDrop('before-start');
    const outcome = audio.frame(frame.timestampMs, frame.payload);
    if (outcome === 'overlap') this.#options.onDrop('audio-overlap');
    if (outcome === 'no-room') this.#options.onDrop('audio-without-video');
  }

  /** Players stall where one track ends, so silence keeps a missing audio track going beside its video. */
  #fillSilence(audio: AudioCutter, videoMs: number): void {
    if (videoMs - (audio.nextMs ?? this.#audioStartMs) > audioLateMs) this.#addSilence(audio, videoMs - audioHoldMs);
  }

  /** Goes on with silence up to `untilMs`, if there is any in this format; at the end also into each segment that video began. */
  #addSilence(audio: AudioCutter, untilMs: number, ends = false): void {
    const silence = this.#silence;
    if (silence === undefined) return;
    let nextMs = audio.nextMs ?? this.#audioStartMs;
    while (nextMs < untilMs || (ends && audio.behind > 0)) {
      if (audio.frame(nextMs, silence) === 'no-room') return;
      this.#options.onSilence();
      nextMs = audio.nextMs ?? untilMs;
    }
  }

  /** Where the first audio frame belongs, ms. */
  get #audioStartMs(): number {
    const { plan, tracks } = this.#options;
    const rate = tracks.audio?.format.sampleRate ?? 1;
    return plan.audio.nextDts === undefined ? plan.fromMs : (plan.audio.nextDts / rate) * 1_000;
  }

  #emitterOf(rendition: string): (part: CutPart) => void {
    const next = this.#options.state.renditions.find(({ name }) => name === rendition)?.next;
    return (part) => {
      if (
        next !== undefined &&
        (part.segment < next.segment || (part.segment === next.segment && part.part < next.part))
      ) {
        return;
      }
      this.#options.emit(rendition, part);
    };
  }
}

/**
 * The first seconds of a source: keeps its tags until it is known which tracks there are and how to cut them. The target
 * duration is known with the second keyframe or 2 s after the first, whichever is sooner; a second track is waited for 1 s.
 * All by media time. A publish that was already on air (a take-over) is not held up: its window has its settings.
 */
import type { AudioFrame, VideoFrame } from '@millrace/flv';
import type { WindowSettings } from '@millrace/handover';
import { measureFrameTiming } from './frame-rate.ts';
import { chooseSettings } from './packaging-rules.ts';
import type { SourceTracks } from './track-formats.ts';

const trackWaitMs = 1_000;
/** Longest wait for the second keyframe, ms: 2 s and the jitter that a GOP of 2 s may have. */
const keyframeWaitMs = 2_060;
/** A publish that is older than this has a window, ms. */
const onAirMs = 2_000;
/** Frames kept for the measurement; 2 s of 240 frames a second. */
const mostMeasured = 480;

export interface ProbeOptions {
  readonly latencyMode: 'low' | 'standard';
  /** Media time at which the publish began, ms. */
  readonly originTimestampMs: number;
}

export class StreamProbe {
  readonly #options: ProbeOptions;
  #firstMs: number | undefined;
  #latestMs = 0;
  #audioSeen = false;
  #firstKeyframeMs: number | undefined;
  #secondKeyframeMs: number | undefined;
  readonly #videoTimes: number[] = [];

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** A frame was buffered: video from the first keyframe on, or audio. */
  frame(tag: VideoFrame | AudioFrame): void {
    this.#firstMs ??= tag.timestampMs;
    this.#latestMs = Math.max(this.#latestMs, tag.timestampMs);
    if (tag.kind === 'audio-frame') {
      this.#audioSeen = true;
      return;
    }
    if (this.#videoTimes.length < mostMeasured) this.#videoTimes.push(tag.timestampMs);
    if (!tag.keyframe) return;
    if (this.#firstKeyframeMs === undefined) this.#firstKeyframeMs = tag.timestampMs;
    else this.#secondKeyframeMs ??= tag.timestampMs;
  }

  /** Whether enough is known to open the window. */
  ready(tracks: SourceTracks): boolean {
    if (this.#firstMs === undefined) return false;
    const late = this.#firstMs - this.#options.originTimestampMs >= onAirMs;
    const waitedMs = this.#latestMs - this.#firstMs;
    if (tracks.video === undefined) return this.#audioSeen && tracks.audio !== undefined && waitedMs >= trackWaitMs;
    if (this.#firstKeyframeMs === undefined) return false;
    if (tracks.audio === undefined && waitedMs < trackWaitMs) return false;
    if (late || this.#secondKeyframeMs !== undefined) return true;
    return this.#latestMs - this.#firstKeyframeMs >= keyframeWaitMs;
  }

  /** Whether there is anything to package at all. */
  begun(tracks: SourceTracks): boolean {
    return (
      (tracks.video !== undefined && this.#firstKeyframeMs !== undefined) ||
      (tracks.video === undefined && tracks.audio !== undefined && this.#audioSeen)
    );
  }

  /** The settings to ask for. */
  settings(tracks: SourceTracks): WindowSettings {
    const timing =
      tracks.video === undefined
        ? undefined
        : (measureFrameTiming(this.#videoTimes, tracks.video.format.frameRate) ?? {
            frameMs: 1_000 / 30,
            longestMs: 0,
          });
    const audio = tracks.audio?.format;
    const gopMs =
      this.#firstKeyframeMs === undefined || this.#secondKeyframeMs === undefined
        ? undefined
        : this.#secondKeyframeMs - this.#firstKeyframeMs;
    return chooseSettings({
      latencyMode: this.#options.latencyMode,
      frameMs: timing?.frameMs,
      longestFrameMs: timing?.longestMs,
      audioFrameMs: audio && (audio.samplesPerFrame / audio.sampleRate) * 1_000,
      gopMs,
    });
  }
}

/** What an encoder really sends, measured from its tags: one sample a second, with warnings a broadcaster understands. */
import type { HealthSample } from '@millrace/events';
import { type MediaTag, parseAudioConfig, parseAvcConfig } from '@millrace/flv';
import { type HealthFigures, warningsOf } from './health-warnings.ts';
import { type TrackCounts, TrackMeter } from './track-meter.ts';

export type HealthMeasure = Omit<HealthSample, 'stream_id' | 'epoch' | 'at_ms'>;

/** Seconds of bit rates that the stability of the connection is judged by. */
const rateHistory = 10;

export class HealthMonitor {
  readonly #sinceMs: number;
  readonly #video = new TrackMeter();
  readonly #audio = new TrackMeter();
  readonly #rates: number[] = [];
  #sampledMs: number;
  #lastKeyframeMs: number | undefined;
  #keyframeIntervalMs: number | undefined;
  #jumps = 0;
  #problem: string | undefined;
  #videoFormat: { codec: string; width?: number; height?: number } | undefined;
  #audioCodec: string | undefined;

  /** `nowMs` and all times below are monotonic. */
  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#sampledMs = nowMs;
  }

  tag(tag: MediaTag, nowMs: number): void {
    switch (tag.kind) {
      case 'video-frame':
        this.#video.frame(tag.timestampMs, tag.payload.length, nowMs);
        if (tag.keyframe) {
          if (this.#lastKeyframeMs !== undefined) this.#keyframeIntervalMs = tag.timestampMs - this.#lastKeyframeMs;
          this.#lastKeyframeMs = tag.timestampMs;
        }
        return;
      case 'audio-frame':
        return this.#audio.frame(tag.timestampMs, tag.payload.length, nowMs);
      case 'video-config': {
        const config = parseAvcConfig(tag.record);
        if (!config.ok) this.#problem = config.error.message;
        else this.#videoFormat = { codec: config.value.codecs, width: config.value.width, height: config.value.height };
        return;
      }
      case 'audio-config': {
        const config = parseAudioConfig(tag.record);
        if (!config.ok) this.#problem = config.error.message;
        else this.#audioCodec = config.value.codecs;
        return;
      }
      case 'data':
      case 'end-of-sequence':
        return;
    }
  }

  /** A media message was left out; `problem` says why when the broadcaster can do something about it. */
  leftOut(problem: string | undefined): void {
    this.#problem = problem ?? this.#problem;
  }

  /** The figures since the last call. */
  sample(nowMs: number, state: 'live' | 'interrupted'): HealthMeasure {
    const seconds = Math.max(0.001, (nowMs - this.#sampledMs) / 1_000);
    this.#sampledMs = nowMs;
    const video = this.#video.take();
    const audio = this.#audio.take();
    const gaps = video.gaps + audio.gaps;
    this.#jumps = gaps > 0 ? this.#jumps + gaps : 0;
    const videoBps = (video.bytes * 8) / seconds;
    const audioBps = (audio.bytes * 8) / seconds;
    if (state === 'live') {
      this.#rates.push(videoBps + audioBps);
      if (this.#rates.length > rateHistory) this.#rates.shift();
    } else this.#rates.length = 0;
    const figures: HealthFigures = {
      liveForMs: nowMs - this.#sinceMs,
      videoIdleMs: this.#video.idleMs(nowMs),
      audioIdleMs: this.#audio.idleMs(nowMs),
      keyframeIntervalMs: this.#currentKeyframeInterval(),
      avDriftMs: this.#avDrift(),
      gapsNow: gaps,
      ratesBps: this.#rates,
      problem: this.#problem,
    };
    return {
      state,
      video_bps: Math.round(videoBps),
      audio_bps: Math.round(audioBps),
      frames_per_second: Math.round(framesPerSecond(video, seconds) * 10) / 10,
      timestamp_gaps: gaps,
      ...(figures.keyframeIntervalMs === undefined ? {} : { keyframe_interval_s: figures.keyframeIntervalMs / 1_000 }),
      ...(figures.avDriftMs === undefined ? {} : { av_drift_ms: Math.round(figures.avDriftMs) }),
      ...(this.#videoFormat === undefined ? {} : { video_codec: this.#videoFormat.codec }),
      ...(this.#videoFormat?.width === undefined ? {} : { width: this.#videoFormat.width }),
      ...(this.#videoFormat?.height === undefined ? {} : { height: this.#videoFormat.height }),
      ...(this.#audioCodec === undefined ? {} : { audio_codec: this.#audioCodec }),
      warnings: state === 'live' ? [...warningsOf(figures)] : [],
    };
  }

  /** The last interval, or the time since the last keyframe once that is longer. */
  #currentKeyframeInterval(): number | undefined {
    const last = this.#video.lastTimestampMs;
    const open = last === undefined || this.#lastKeyframeMs === undefined ? 0 : last - this.#lastKeyframeMs;
    if (this.#keyframeIntervalMs === undefined) return undefined;
    const interval = Math.max(this.#keyframeIntervalMs, open);
    return interval >= 0 ? interval : undefined;
  }

  /** How far audio time is ahead of video time, both carried on to the same moment of arrival, ms. */
  #avDrift(): number | undefined {
    const video = this.#video;
    const audio = this.#audio;
    if (video.aheadMs === undefined || audio.aheadMs === undefined) return undefined;
    return audio.aheadMs - video.aheadMs;
  }
}

/**
 * The encoder's frame rate, by its own clock: a network that delivers in bursts does not change it. By arrival only when
 * that clock says nothing (the first sample, a jump, no frame).
 */
function framesPerSecond(counts: TrackCounts, arrivalSeconds: number): number {
  const { frames, gaps, mediaMs } = counts;
  return gaps === 0 && mediaMs !== undefined && mediaMs > 0 ? (frames * 1_000) / mediaMs : frames / arrivalSeconds;
}

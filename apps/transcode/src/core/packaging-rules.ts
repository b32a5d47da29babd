/**
 * How a window is cut: target duration, part duration and part target, chosen once from what the first seconds show.
 * They are fixed for the life of the playlist (rfc8216bis 4.4.3.1, 4.4.3.7), so every promise is made with room to keep it.
 */
import type { WindowSettings } from '@millrace/handover';

/** Ticks per second of every video rendition. */
export const videoTimescale = 90_000;

/** Part duration aimed at, ms. */
const wantedPartMs = { low: 200, standard: 333 } as const;
/** PART-TARGET over part duration: room for timestamp jitter; parts still last over 85 % of it (4.4.4.9). */
const partTargetMargin = 1.08;
/** Of the part target (85 % by 4.4.4.9, and room for rounding): no part is shorter, but the last of its segment and one before a lone long frame. */
export const shortestPartRatio = 0.855;
/** Longest part duration that is chosen, ms: several must fit a segment. */
const longestPartMs = 1_800;
/** A group of pictures this long still counts as 2 s, ms: encoders' timestamps jitter. */
const shortGopMs = 2_050;

/** Lengths in ticks of one track. */
export interface CutRules {
  /** A part is complete from here on. */
  readonly partTicks: number;
  /** No part is longer. */
  readonly partLimitTicks: number;
  /** A keyframe begins a segment from this age on. */
  readonly minSegmentTicks: number;
  /** The same for the first keyframe of a segment that a forced cut began. */
  readonly minForcedSegmentTicks: number;
  /** A segment is cut before a frame that would make it longer. */
  readonly segmentLimitTicks: number;
  /** No segment is longer: rounded, it still is the target duration. */
  readonly segmentEndTicks: number;
}

/** The window's settings as lengths in ticks of `timescale`. */
export function cutRules(settings: WindowSettings, timescale: number): CutRules {
  const ticks = (seconds: number) => Math.round(seconds * timescale);
  return {
    partTicks: ticks((settings.partDurationMs - 4) / 1_000),
    partLimitTicks: Math.floor(settings.partTargetS * timescale),
    minSegmentTicks: ticks(0.95),
    minForcedSegmentTicks: ticks(0.1),
    // A GOP that counts as 2 s must never be cut before its end; a longer one is cut at a part boundary near the target.
    segmentLimitTicks: ticks(settings.targetDurationS + (settings.targetDurationS <= 2 ? 0.1 : 0.02)),
    segmentEndTicks: ticks(settings.targetDurationS + 0.45),
  };
}

export interface MeasuredStream {
  readonly latencyMode: 'low' | 'standard';
  /** Duration of a video frame, ms, and the longest seen; undefined without video. */
  readonly frameMs: number | undefined;
  readonly longestFrameMs: number | undefined;
  /** Duration of an audio frame, ms; undefined without audio. */
  readonly audioFrameMs: number | undefined;
  /** Between the first two keyframes, ms; undefined when the second did not come in time. */
  readonly gopMs: number | undefined;
}

/** Chooses the settings of a new window. */
export function chooseSettings(stream: MeasuredStream): WindowSettings {
  const partMs = choosePartMs(stream);
  const short = stream.frameMs === undefined || (stream.gopMs !== undefined && stream.gopMs <= shortGopMs);
  return {
    targetDurationS: short ? 2 : 4,
    partTargetS: Math.round(partMs * partTargetMargin * 1_000) / 1_000_000,
    partDurationMs: partMs,
  };
}

/**
 * k whole frames nearest to the wanted duration. Audio frames must fill its part target to 85 % too, so among the k near by
 * the first that allows it is taken. A source of uneven frame rate gets parts as long as its longest frame.
 */
function choosePartMs(stream: MeasuredStream): number {
  const wanted = wantedPartMs[stream.latencyMode];
  const unit = stream.frameMs ?? stream.audioFrameMs ?? wanted;
  const nearest = Math.max(1, Math.round(wanted / unit));
  const candidates = Array.from({ length: nearest * 2 }, (_, i) => i + 1)
    .map((k) => k * unit)
    .filter((partMs) => partMs <= longestPartMs)
    .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
  const partMs = candidates.find((ms) => audioFits(ms, stream.audioFrameMs)) ?? candidates[0] ?? longestPartMs;
  const longest = stream.longestFrameMs ?? 0;
  return longest > partMs * partTargetMargin ? Math.min(longest, longestPartMs) : partMs;
}

function audioFits(partMs: number, audioFrameMs: number | undefined): boolean {
  if (audioFrameMs === undefined) return true;
  const target = partMs * partTargetMargin;
  const whole = Math.floor(target / audioFrameMs) * audioFrameMs;
  return whole >= shortestPartRatio * target;
}

/** Audio frames of `frameTicks` in a part: nearest to the part duration, at least 85 % of the part target, never over it. */
export function audioFramesPerPart(rules: CutRules, frameTicks: number): number {
  const most = Math.max(1, Math.floor(rules.partLimitTicks / frameTicks));
  const fewest = Math.ceil((shortestPartRatio * rules.partLimitTicks) / frameTicks);
  const nearest = Math.round(rules.partTicks / frameTicks);
  return Math.min(most, Math.max(fewest, nearest));
}

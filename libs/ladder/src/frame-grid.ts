/**
 * The frames that a rung has, counted from the start of the source at the rung's constant rate. Workers that encode different spans
 * of different rungs never talk to each other, and yet their frames meet: every cut is worked out here, the same way for all.
 */
import { type FrameRate, framesPerSecond } from './frame-rate.ts';

/** Frames that rungs at full and at half rate have in common: cuts fall on these. */
function frameStep(rate: FrameRate): number {
  return framesPerSecond(rate) > 35 ? 2 : 1;
}

/**
 * First frame of a span that begins at `startMs`. Timestamps in whole milliseconds and their rounding move a keyframe by less than
 * a fifth of a frame.
 */
export function firstFrameOf(startMs: number, rate: FrameRate): number {
  const step = frameStep(rate);
  const pairsPerMs = framesPerSecond(rate) / step / 1_000;
  return Math.max(0, step * Math.ceil(startMs * pairsPerMs - 0.2));
}

/**
 * First frames of the segments of a span of `frames` frames, counted from the span's first: as many as come nearest to
 * `segmentMs`, of nearly equal length, so that no span ends with a sliver.
 */
export function segmentStarts(frames: number, segmentMs: number, rate: FrameRate): readonly number[] {
  const step = frameStep(rate);
  const pairs = Math.max(1, frames / step);
  const pairsPerSegment = Math.max(1, (segmentMs / 1_000) * (framesPerSecond(rate) / step));
  const count = Math.max(1, Math.min(Math.floor(pairs), Math.round(pairs / pairsPerSegment)));
  return Array.from({ length: count }, (_, i) => step * Math.round((i * pairs) / count));
}

/** Ticks a second in which a frame of `rate` is a whole number of ticks. */
export function timescaleOf(rate: FrameRate): number {
  return rate.num >= 10_000 ? rate.num : rate.num * 1_000;
}

/** Ticks of one frame. */
export function frameTicks(rate: FrameRate): number {
  return (timescaleOf(rate) * rate.den) / rate.num;
}

/** How fast something is sent and how long the rest takes: over the last seconds, so that it follows the network. Pure. */

export interface RateSample {
  readonly atMs: number;
  readonly bytes: number;
}

/** The newest samples, oldest first; the first one is at most `windowMs` older than the last, unless there are only two. */
export type RateWindow = readonly RateSample[];

const windowMs = 8_000;
const mostSamples = 40;
/** Less than this says nothing yet. */
const leastMs = 400;

/** A sample that goes back in bytes (the server kept less than was sent) begins a new window. */
export function withSample(window: RateWindow, sample: RateSample): RateWindow {
  const last = window.at(-1);
  if (last === undefined || sample.bytes < last.bytes || sample.atMs < last.atMs) return [sample];
  // Many small reports a second: the newest takes the place of the one before it.
  const kept = window.length > 1 && sample.atMs - (window.at(-2)?.atMs ?? 0) < 200 ? window.slice(0, -1) : window;
  const next = [...kept, sample].slice(-mostSamples);
  const first = next.findIndex((one) => sample.atMs - one.atMs <= windowMs);
  return next.slice(Math.min(first, next.length - 2));
}

/** Bytes a second; undefined while unknown. */
export function bytesPerSecond(window: RateWindow): number | undefined {
  const first = window[0];
  const last = window.at(-1);
  if (first === undefined || last === undefined || last.atMs - first.atMs < leastMs) return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
}

/** Time for what is left, ms; undefined while unknown or without end. */
export function remainingMs(window: RateWindow, totalBytes: number): number | undefined {
  const rate = bytesPerSecond(window);
  const sent = window.at(-1)?.bytes ?? 0;
  return rate === undefined || rate <= 0 ? undefined : ((totalBytes - sent) * 1000) / rate;
}

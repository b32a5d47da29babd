/** The last minute of health samples. Pure. */

/** Samples kept: one a second for a minute. */
export const sampleSpan = 60;

/** A silence longer than this starts the line anew, ms. */
const silenceMs = 10_000;

interface Sample {
  readonly atMs: number;
}

/** Adds a sample unless it is the one already there (the page asks more often than ingest measures). */
export function appendSample<T extends Sample>(history: readonly T[], sample: T): readonly T[] {
  const last = history.at(-1);
  if (last === undefined || sample.atMs - last.atMs > silenceMs || sample.atMs < last.atMs) return [sample];
  if (sample.atMs === last.atMs) return history;
  return [...history, sample].slice(-sampleSpan);
}

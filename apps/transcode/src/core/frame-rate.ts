/** What decode timestamps say about the frame rate. */
export interface FrameTiming {
  /** Mean duration of an ordinary frame, ms. */
  readonly frameMs: number;
  readonly longestMs: number;
}

/**
 * Measures from timestamps in ms. Holes and bursts do not count: the mean is over steps within a third of the median, since
 * single steps are rounded to whole ms. A declared rate (SPS) that agrees within 3 % is more exact and wins.
 * Undefined without two different timestamps and a declared rate.
 */
export function measureFrameTiming(
  timestampsMs: readonly number[],
  declaredRate: number | undefined,
): FrameTiming | undefined {
  const declaredMs = declaredRate === undefined ? undefined : 1_000 / declaredRate;
  const steps = timestampsMs.slice(1).map((time, i) => time - (timestampsMs[i] ?? time));
  const sorted = steps.filter((step) => step > 0).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  if (median === undefined)
    return declaredMs === undefined ? undefined : { frameMs: declaredMs, longestMs: declaredMs };
  const ordinary = sorted.filter((step) => Math.abs(step - median) <= Math.max(1, median / 3));
  const mean = ordinary.reduce((sum, step) => sum + step, 0) / ordinary.length;
  const exact = declaredMs !== undefined && Math.abs(declaredMs - mean) <= mean * 0.03;
  return { frameMs: exact ? declaredMs : mean, longestMs: sorted.at(-1) ?? mean };
}

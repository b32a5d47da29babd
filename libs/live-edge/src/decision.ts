/**
 * The live-edge rule: how fast a player should run to sit at its target latency. Pure; the controller asks it every 100 ms.
 *
 * With e = latency - target, in seconds:
 *
 *     e > 2            seek to the target (if there is media to seek to)
 *     e > 0.4          at the start, once: seek, if the target is already buffered; nobody has seen anything yet
 *     buffer < 0.12    0.97: slow down before the buffer runs dry
 *     e > 0.04         min(1.1, 1 + e / 2): win the delay back; the gain shrinks with the error, so it does not overshoot;
 *                      once begun, go on until e <= 0.01, so that it does not settle at the threshold
 *     e < -0.06        0.97: fall back to the hold-back the origin asked for
 *     else             1
 */

/** What a player looks like at one moment. Times and lengths in seconds of media time. */
export interface LiveObservation {
  /** Distance from the playhead to the live edge as estimated now. */
  readonly latencyS: number;
  /** The distance to keep: the playlist's PART-HOLD-BACK or HOLD-BACK, plus what stalls have added. */
  readonly targetLatencyS: number;
  /** Media buffered without a hole from the playhead on. */
  readonly bufferAheadS: number;
  readonly currentTimeS: number;
  /** End of the newest media that is known to exist; a seek never goes beyond it. */
  readonly edgeS: number;
}

export interface LiveEdgePolicy {
  /** Behind by more than this: seek rather than hurry. */
  readonly seekBeyondS: number;
  /** A seek that wins less than this is not worth its flush. */
  readonly minSeekGainS: number;
  /** A seek stays this far from the newest media. */
  readonly seekEdgeMarginS: number;
  /** At the start a delay of more than this is jumped, when the target and `startMarginS` beyond it are buffered. */
  readonly startSeekBeyondS: number;
  readonly startMarginS: number;
  readonly lowBufferS: number;
  readonly lateS: number;
  /** Hurrying ends here. */
  readonly onTimeS: number;
  readonly earlyS: number;
  readonly slowRate: number;
  readonly maxRate: number;
  /** Rate added per second of error. */
  readonly gainPerS: number;
}

export const defaultLiveEdgePolicy: LiveEdgePolicy = {
  seekBeyondS: 2,
  minSeekGainS: 0.5,
  seekEdgeMarginS: 0.2,
  startSeekBeyondS: 0.4,
  startMarginS: 0.45,
  lowBufferS: 0.12,
  lateS: 0.04,
  onTimeS: 0.01,
  earlyS: 0.06,
  slowRate: 0.97,
  maxRate: 1.1,
  gainPerS: 0.5,
};

export type LiveEdgeDecision =
  | { readonly kind: 'seek'; readonly toS: number }
  | { readonly kind: 'rate'; readonly rate: number; readonly reason: 'low-buffer' | 'late' | 'early' | 'on-target' };

/** What was done before, as far as it matters now. */
export interface LiveEdgeHistory {
  /** False while an earlier seek is being waited for. */
  readonly maySeek: boolean;
  /** Playing has only just begun. */
  readonly starting: boolean;
  /** The decision before this one was to hurry. */
  readonly hurrying: boolean;
}

/** Decides what to do now. A NaN or infinite observation gives the rate 1: nothing is known, so nothing is changed. */
export function decideLiveEdge(
  seen: LiveObservation,
  { maySeek, starting, hurrying }: LiveEdgeHistory,
  policy: LiveEdgePolicy = defaultLiveEdgePolicy,
): LiveEdgeDecision {
  const errorS = seen.latencyS - seen.targetLatencyS;
  const known = [errorS, seen.bufferAheadS, seen.currentTimeS, seen.edgeS].every(Number.isFinite);
  if (!known) return { kind: 'rate', rate: 1, reason: 'on-target' };
  if (errorS > policy.seekBeyondS && maySeek) {
    // A silent origin lets the estimated edge run ahead of the media that exists: seeking there would only stall.
    const toS = Math.min(seen.currentTimeS + errorS, seen.edgeS - policy.seekEdgeMarginS);
    if (toS - seen.currentTimeS >= policy.minSeekGainS) return { kind: 'seek', toS };
  }
  const targetIsBuffered = seen.bufferAheadS >= errorS + policy.startMarginS;
  if (starting && maySeek && errorS > policy.startSeekBeyondS && targetIsBuffered) {
    return { kind: 'seek', toS: seen.currentTimeS + errorS };
  }
  if (seen.bufferAheadS < policy.lowBufferS) return { kind: 'rate', rate: policy.slowRate, reason: 'low-buffer' };
  if (errorS > (hurrying ? policy.onTimeS : policy.lateS)) {
    return { kind: 'rate', rate: Math.min(policy.maxRate, 1 + errorS * policy.gainPerS), reason: 'late' };
  }
  if (errorS < -policy.earlyS) return { kind: 'rate', rate: policy.slowRate, reason: 'early' };
  return { kind: 'rate', rate: 1, reason: 'on-target' };
}

import { vodTargetDurationS } from './vod-playlist.ts';

export interface MeasuredSegment {
  readonly durationS: number;
  readonly bytes: number;
}

/**
 * Bit rates of a rendition from the real sizes of its segments (rfc8216bis 4.1): the average over all of it, and the peak over any
 * run of neighbours that lasts between half and one and a half target durations. Zero for no segments.
 */
export function segmentBitRates(segments: readonly MeasuredSegment[]): {
  readonly peakBps: number;
  readonly averageBps: number;
} {
  const seconds = segments.reduce((sum, segment) => sum + segment.durationS, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  if (!(seconds > 0)) return { peakBps: 0, averageBps: 0 };
  const averageBps = (bytes * 8) / seconds;
  const targetS = vodTargetDurationS(segments.map((segment) => segment.durationS));
  let peakBps = averageBps;
  for (let first = 0; first < segments.length; first++) {
    let runS = 0;
    let runBytes = 0;
    for (let i = first; i < segments.length && runS < targetS * 1.5; i++) {
      runS += segments[i]?.durationS ?? 0;
      runBytes += segments[i]?.bytes ?? 0;
      if (runS >= targetS * 0.5 && runS <= targetS * 1.5) peakBps = Math.max(peakBps, (runBytes * 8) / runS);
    }
  }
  return { peakBps, averageBps };
}

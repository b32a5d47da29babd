/** What range and buckets a question is about: aligned to whole minutes, bounded, with refusals that say what to change. */
import { err, ok, type Result } from '@millrace/result';

export const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Longest range of one question. */
const longestRangeMs = 400 * dayMs;
/** Most buckets of one time series. */
export const mostBuckets = 1_500;
const usualBuckets = 120;
const roundIntervalsS = [60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800] as const;

/** Half-open, ms since 1970, both whole minutes. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Buckets extends TimeRange {
  readonly stepMs: number;
  readonly count: number;
}

export interface RangeRefusal {
  readonly kind: 'bad-range';
  readonly path: 'query.from' | 'query.to' | 'query.interval';
  readonly expected: string;
  readonly got: string;
}

/** The range of `from` and `to` (RFC 3339), the last hour by default; `from` is rounded down, `to` up. */
export function timeRange(
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  nowMs: number,
): Result<TimeRange, RangeRefusal> {
  const toMs = Math.ceil((asked.to === undefined ? nowMs : Date.parse(asked.to)) / minuteMs) * minuteMs;
  const fromMs =
    asked.from === undefined ? toMs - 60 * minuteMs : Math.floor(Date.parse(asked.from) / minuteMs) * minuteMs;
  const refuse = (path: RangeRefusal['path'], expected: string, got: string) =>
    err({ kind: 'bad-range', path, expected, got } as const);
  if (toMs > nowMs + dayMs) return refuse('query.to', 'a time not more than a day ahead', asked.to ?? '');
  if (fromMs < 0) return refuse('query.from', 'a time after 1970', asked.from ?? '');
  if (fromMs >= toMs) return refuse('query.from', `a time before ${time(toMs)} (\`to\`)`, asked.from ?? time(fromMs));
  if (toMs - fromMs > longestRangeMs) {
    return refuse('query.from', `at most ${longestRangeMs / dayMs} days before \`to\``, asked.from ?? '');
  }
  return ok({ fromMs, toMs });
}

/** Cuts a range into buckets of `intervalS`, or of the shortest round length that gives at most 120. The start moves down to a multiple. */
export function bucketsOf(range: TimeRange, intervalS: number | undefined): Result<Buckets, RangeRefusal> {
  const length = range.toMs - range.fromMs;
  const chosen = intervalS ?? roundIntervalsS.find((s) => length / (s * 1000) <= usualBuckets) ?? 604_800;
  const refuse = (expected: string) =>
    err({ kind: 'bad-range', path: 'query.interval', expected, got: String(chosen) } as const);
  if (chosen % 60 !== 0) return refuse('a multiple of 60 s');
  const stepMs = chosen * 1000;
  const fromMs = Math.floor(range.fromMs / stepMs) * stepMs;
  const toMs = Math.ceil(range.toMs / stepMs) * stepMs;
  const count = (toMs - fromMs) / stepMs;
  if (count > mostBuckets) {
    const least = Math.ceil(length / mostBuckets / minuteMs) * 60;
    return refuse(`at least ${least} s for this range (at most ${mostBuckets} buckets), or a shorter range`);
  }
  return ok({ fromMs, toMs, stepMs, count });
}

/** The whole range as one bucket. */
export function oneBucket(range: TimeRange): Buckets {
  return { ...range, stepMs: range.toMs - range.fromMs, count: 1 };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** The answers of /api/v1/analytics as the studio reads them. */
import { streamStates } from '../api/resources.ts';
import {
  choice,
  integer,
  list,
  nullable,
  number,
  object,
  type Read,
  type Reader,
  text,
  WireMismatch,
} from '../api/wire.ts';

/** In the order of docs/metrics.md. */
export const metricNames = [
  'viewers',
  'unique_viewers',
  'views',
  'watch_time_s',
  'startup_time_p50_ms',
  'startup_time_p95_ms',
  'startup_failure_percentage',
  'exit_before_start_percentage',
  'rebuffer_percentage',
  'rebuffer_frequency_per_min',
  'bitrate_kbps',
  'rendition_switches',
  'live_latency_ms',
  'live_latency_p95_ms',
] as const;
export type MetricName = (typeof metricNames)[number];

export const dimensions = ['stream', 'country', 'device', 'player'] as const;
export type Dimension = (typeof dimensions)[number];

export const readLive = object({
  at: text,
  viewers: integer,
  streams: list(object({ stream_id: text, title: text, state: choice(streamStates), viewers: integer })),
});
export type LiveNow = Read<typeof readLive>;

const measured = object({ value: nullable(number) });
const summaryMetrics = object({
  viewers: measured,
  unique_viewers: measured,
  views: measured,
  watch_time_s: measured,
  startup_time_p50_ms: measured,
  startup_time_p95_ms: measured,
  startup_failure_percentage: measured,
  exit_before_start_percentage: measured,
  rebuffer_percentage: measured,
  rebuffer_frequency_per_min: measured,
  bitrate_kbps: measured,
  rendition_switches: measured,
  live_latency_ms: measured,
  live_latency_p95_ms: measured,
} satisfies Record<MetricName, unknown>);
export const readSummary = object({ from: text, to: text, metrics: summaryMetrics });
export type Summary = Read<typeof readSummary>;

/** `[start of the bucket in ms, value]`. */
const point: Reader<readonly [number, number | null]> = (value, path) => {
  if (!Array.isArray(value) || value.length !== 2) throw new WireMismatch(path, '[time, value]', value);
  return [integer(value[0], `${path}[0]`), nullable(number)(value[1], `${path}[1]`)];
};
export const readTimeseries = object({
  from: text,
  to: text,
  interval_s: integer,
  series: list(object({ metric: choice(metricNames), points: list(point) })),
});
export type Timeseries = Read<typeof readTimeseries>;

export const readBreakdown = object({
  items: list(object({ key: text, label: text, value: nullable(number), sessions: integer })),
});
export type Breakdown = Read<typeof readBreakdown>;

export const readSessionPage = object({
  items: list(
    object({
      session_id: text,
      stream_id: text,
      started_at: text,
      ended_at: nullable(text),
      watch_ms: number,
      country: text,
      device: text,
      player: text,
      startup_ms: nullable(number),
      rebuffer_count: nullable(integer),
      rebuffer_ms: nullable(number),
      bitrate_kbps: nullable(number),
      latency_ms: nullable(number),
      exit: text,
    }),
  ),
  next_cursor: nullable(text),
});
export type SessionPage = Read<typeof readSessionPage>;
export type ViewerSession = SessionPage['items'][number];

export const readIngest = object({
  interval_s: integer,
  points: list(
    object({
      at: text,
      video_bps: number,
      audio_bps: number,
      frames_per_second: number,
      keyframe_interval_s: nullable(number),
      timestamp_gaps: integer,
      warnings: list(text),
    }),
  ),
});
export type IngestHistory = Read<typeof readIngest>;

/**
 * The REST API of analytics: what it takes and what it answers. Every metric is defined, with its formula, in docs/metrics.md.
 * Times are aligned to whole minutes: `from` down, `to` up; answers say what they cover.
 */
import { z } from 'zod';
import { pageOf, timeSchema } from './page.ts';
import { healthSchema, liveStateSchema, streamIdSchema } from './stream.ts';

export const analyticsMetrics = [
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
export const analyticsMetricSchema = z.enum(analyticsMetrics).meta({ id: 'AnalyticsMetric' });
export type AnalyticsMetric = z.infer<typeof analyticsMetricSchema>;

const analyticsUnits = ['viewers', 'views', 's', 'ms', '%', 'per_min', 'kbit/s', 'switches'] as const;
export type AnalyticsUnit = (typeof analyticsUnits)[number];

/** The unit of each metric. */
export const analyticsUnitOf: Readonly<Record<AnalyticsMetric, AnalyticsUnit>> = {
  viewers: 'viewers',
  unique_viewers: 'viewers',
  views: 'views',
  watch_time_s: 's',
  startup_time_p50_ms: 'ms',
  startup_time_p95_ms: 'ms',
  startup_failure_percentage: '%',
  exit_before_start_percentage: '%',
  rebuffer_percentage: '%',
  rebuffer_frequency_per_min: 'per_min',
  bitrate_kbps: 'kbit/s',
  rendition_switches: 'switches',
  live_latency_ms: 'ms',
  live_latency_p95_ms: 'ms',
};

const unitSchema = z.enum(analyticsUnits);
const dimensionText = z.string().min(1).max(64);

/** Query that every analysis takes: the time range and whom to look at. */
export const analyticsRangeSchema = z.object({
  from: timeSchema.optional().meta({ description: 'Start, rounded down to the minute; default: an hour before `to`.' }),
  to: timeSchema
    .optional()
    .meta({ description: 'End, rounded up to the minute, not part of the range; default: now.' }),
  stream_id: streamIdSchema.optional(),
  country: dimensionText.optional().meta({ description: 'ISO 3166-1 alpha-2; `unknown` where it is not known.' }),
  device: dimensionText.optional().meta({ description: 'desktop, mobile, tablet, tv, console, bot, unknown.' }),
  player: dimensionText.optional().meta({ description: 'Family name: chrome, safari, vlc...' }),
});
export type AnalyticsRange = z.infer<typeof analyticsRangeSchema>;

/** `metric=viewers,watch_time_s`; the old name `watch_time` is understood. */
export const analyticsMetricListSchema = z
  .string()
  .max(400)
  .transform((text) => text.split(',').map((name) => (name === 'watch_time' ? 'watch_time_s' : name)))
  .pipe(z.array(analyticsMetricSchema).min(1).max(analyticsMetrics.length))
  .meta({ type: 'string', description: 'Names of metrics, comma-separated.', example: 'viewers,watch_time_s' });

export const analyticsTimeseriesQuerySchema = analyticsRangeSchema.extend({
  metric: analyticsMetricListSchema,
  interval: z.coerce.number().int().min(60).max(604_800).optional().meta({
    description:
      'Length of a bucket, s, a multiple of 60; default: the shortest round one that gives at most 120 buckets.',
  }),
});
export const analyticsDimensionSchema = z.enum(['stream', 'country', 'device', 'player']);
export type AnalyticsDimension = z.infer<typeof analyticsDimensionSchema>;
export const analyticsBreakdownQuerySchema = analyticsRangeSchema.extend({
  metric: analyticsMetricSchema,
  by: analyticsDimensionSchema,
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
export const analyticsSessionsQuerySchema = analyticsRangeSchema.extend({
  limit: z.coerce.number().int().min(1).max(200).default(20).meta({ description: 'Items a page.' }),
  cursor: z.string().max(200).optional().meta({ description: '`next_cursor` of the page before.' }),
});
export const analyticsExportQuerySchema = analyticsRangeSchema.extend({
  dataset: z.enum(['sessions', 'minutes', 'beacons', 'ingest']),
  format: z.enum(['csv', 'parquet']).default('csv'),
});
export const analyticsSqlInputSchema = z
  .strictObject({
    query: z.string().min(1).max(20_000).meta({
      description: 'One SELECT over the documented views; no table functions, settings, formats or comments needed.',
      example: 'SELECT country, count() AS sessions FROM v_sessions GROUP BY country ORDER BY sessions DESC',
    }),
    format: z.enum(['json', 'csv', 'parquet']).default('json'),
  })
  .meta({ id: 'AnalyticsSqlInput' });
export type AnalyticsSqlInput = z.input<typeof analyticsSqlInputSchema>;

const liveStream = z.object({
  stream_id: z.string(),
  playback_id: z.string(),
  title: z.string(),
  state: liveStateSchema,
  viewers: z.int(),
  health: healthSchema.nullable().meta({ description: 'Newest sample of the encoder; null when there is none.' }),
});
export const analyticsLiveSchema = z
  .object({ at: timeSchema, viewers: z.int(), streams: z.array(liveStream) })
  .meta({ id: 'AnalyticsLive' });
export type AnalyticsLive = z.infer<typeof analyticsLiveSchema>;

const metricValue = z.object({
  value: z.number().nullable().meta({ description: 'null: nothing was measured.' }),
  unit: unitSchema,
});
export const analyticsSummarySchema = z
  .object({ from: timeSchema, to: timeSchema, metrics: z.record(analyticsMetricSchema, metricValue) })
  .meta({ id: 'AnalyticsSummary' });
export type AnalyticsSummary = z.infer<typeof analyticsSummarySchema>;

export const analyticsTimeseriesSchema = z
  .object({
    from: timeSchema,
    to: timeSchema,
    interval_s: z.int(),
    series: z.array(
      z.object({
        metric: analyticsMetricSchema,
        unit: unitSchema,
        points: z.array(z.tuple([z.int(), z.number().nullable()])).meta({
          description:
            'Start of the bucket (ms since 1970) and value: 0 where that is the truth, null where nothing was measured.',
        }),
      }),
    ),
  })
  .meta({ id: 'AnalyticsTimeseries' });
export type AnalyticsTimeseries = z.infer<typeof analyticsTimeseriesSchema>;

export const analyticsBreakdownSchema = z
  .object({
    from: timeSchema,
    to: timeSchema,
    metric: analyticsMetricSchema,
    unit: unitSchema,
    by: analyticsDimensionSchema,
    items: z.array(
      z.object({
        key: z.string(),
        label: z.string().meta({ description: 'What to show: the title of a stream, else the key.' }),
        value: z.number().nullable(),
        sessions: z.int().meta({ description: 'Sessions that the value stands on.' }),
      }),
    ),
  })
  .meta({ id: 'AnalyticsBreakdown' });
export type AnalyticsBreakdown = z.infer<typeof analyticsBreakdownSchema>;

const sessionItem = z.object({
  session_id: z.string(),
  stream_id: z.string(),
  started_at: timeSchema,
  ended_at: timeSchema.nullable().meta({ description: 'null: still watching.' }),
  watch_ms: z.int(),
  country: z.string(),
  device: z.string(),
  player: z.string(),
  startup_ms: z.int().nullable(),
  rebuffer_count: z.int().nullable(),
  rebuffer_ms: z.int().nullable(),
  bitrate_kbps: z.number().nullable(),
  latency_ms: z.number().nullable(),
  exit: z
    .enum([
      'watching',
      'silent',
      'quit',
      'stream-ended',
      'draining',
      'evicted',
      'lost',
      'startup-failure',
      'before-start',
    ])
    .meta({ description: 'How it ended; `lost`: the instance that counted it went away without a word.' }),
});
export type AnalyticsSession = z.infer<typeof sessionItem>;
export const analyticsSessionPageSchema = pageOf('AnalyticsSessionPage', sessionItem);

export const analyticsIngestSchema = z
  .object({
    stream_id: z.string(),
    from: timeSchema,
    to: timeSchema,
    interval_s: z.int().meta({ description: 'Seconds that a point stands for.' }),
    points: z.array(
      z.object({
        at: timeSchema,
        video_bps: z.number(),
        audio_bps: z.number(),
        frames_per_second: z.number(),
        keyframe_interval_s: z.number().nullable(),
        timestamp_gaps: z.int(),
        warnings: z.array(z.string()).meta({ description: 'Codes of the warnings in this time.' }),
      }),
    ),
  })
  .meta({ id: 'AnalyticsIngest' });
export type AnalyticsIngest = z.infer<typeof analyticsIngestSchema>;

export const analyticsSqlAnswerSchema = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z.array(z.array(z.unknown())),
    truncated: z.boolean().meta({ description: 'There were more rows than the limit.' }),
    elapsed_ms: z.number(),
  })
  .meta({ id: 'AnalyticsSqlAnswer' });
export type AnalyticsSqlAnswer = z.infer<typeof analyticsSqlAnswerSchema>;

/** `GET /api/v1/streams/{id}/metrics`. */
export const streamMetricsSchema = z
  .object({
    stream_id: z.string(),
    state: liveStateSchema,
    live_since: timeSchema.nullable(),
    viewers: z.int(),
    peak_viewers: z.int().meta({ description: 'Most concurrent viewers since `live_since`.' }),
    health: healthSchema.nullable(),
    last_minute: z
      .object({
        startup_ms: z.number().nullable(),
        rebuffer_percentage: z.number().nullable(),
        live_latency_ms: z.number().nullable(),
        bitrate_kbps: z.number().nullable(),
      })
      .meta({ description: 'What players reported in the last 60 s; null where they said nothing.' }),
  })
  .meta({ id: 'StreamMetrics' });
export type StreamMetrics = z.infer<typeof streamMetricsSchema>;

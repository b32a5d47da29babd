/** The part of /api/v1/analytics that the studio calls, with made-up but plausible figures. For tests of the studio only. */
import {
  type AnalyticsBreakdown,
  type AnalyticsIngest,
  type AnalyticsLive,
  type AnalyticsMetric,
  type AnalyticsSession,
  type AnalyticsSummary,
  type AnalyticsTimeseries,
  analyticsMetrics,
  analyticsUnitOf,
} from '@millrace/api';
import type { ApiAnswer } from './fake-api.ts';

const minuteMs = 60_000;

/** About where the figures of each metric lie; viewers and watch time follow the hour, the others wobble. */
const typical: Readonly<Record<AnalyticsMetric, number>> = {
  viewers: 480,
  unique_viewers: 1_930,
  views: 2_412,
  watch_time_s: 1_204_000,
  startup_time_p50_ms: 640,
  startup_time_p95_ms: 2_150,
  startup_failure_percentage: 0.4,
  exit_before_start_percentage: 1.7,
  rebuffer_percentage: 0.62,
  rebuffer_frequency_per_min: 0.08,
  bitrate_kbps: 3_140,
  rendition_switches: 3_205,
  live_latency_ms: 1_450,
  live_latency_p95_ms: 2_900,
};

export class FakeAnalytics {
  /** Nobody has watched at all. */
  empty = false;
  /** The store does not answer. */
  away = false;
  /** Queries as they came, `name?query`. */
  readonly asked: string[] = [];
  live: AnalyticsLive['streams'] = [];
  streams: readonly { readonly id: string; readonly title: string }[] = [];

  answer(path: string, query: URLSearchParams): ApiAnswer {
    this.asked.push(`${path}?${query}`);
    if (path === 'live') {
      const viewers = this.live.reduce((sum, one) => sum + one.viewers, 0);
      return ok({ at: new Date().toISOString(), viewers, streams: this.live } satisfies AnalyticsLive);
    }
    if (this.away) return { status: 503, body: { type: '/problems/away', title: 'The store is away', status: 503 } };
    const fromMs = Math.floor(Date.parse(query.get('from') ?? '') / minuteMs) * minuteMs;
    const toMs = Math.ceil(Date.parse(query.get('to') ?? '') / minuteMs) * minuteMs;
    const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
    if (path === 'summary') return ok(this.#summary(range));
    if (path === 'timeseries') return ok(this.#timeseries(range, fromMs, toMs, query.get('metric') ?? ''));
    if (path === 'breakdowns') return ok(this.#breakdown(range, query));
    if (path === 'sessions') return ok(this.#sessions(query.get('cursor'), toMs));
    if (path.startsWith('ingest/')) return ok(this.#ingest(range, path.slice('ingest/'.length), fromMs, toMs));
    if (path === 'export') return ok(`dataset\n${query.get('dataset')}\n`);
    return { status: 404, body: { title: 'Not found' } };
  }

  #summary(range: { from: string; to: string }): AnalyticsSummary {
    const entries = analyticsMetrics.map((metric) => [
      metric,
      { value: this.empty ? (typical[metric] > 100 ? 0 : null) : typical[metric], unit: analyticsUnitOf[metric] },
    ]);
    return { ...range, metrics: Object.fromEntries(entries) as AnalyticsSummary['metrics'] };
  }

  #timeseries(range: { from: string; to: string }, fromMs: number, toMs: number, names: string): AnalyticsTimeseries {
    const steps = [60, 300, 600, 1_800, 3_600, 7_200, 21_600];
    const interval_s = steps.find((step) => (toMs - fromMs) / 1000 / step <= 120) ?? 86_400;
    const series = analyticsMetrics
      .filter((metric) => names.split(',').includes(metric))
      .map((metric) => ({
        metric,
        unit: analyticsUnitOf[metric],
        points: Array.from({ length: Math.floor((toMs - fromMs) / 1000 / interval_s) }, (_, i) => {
          const t = fromMs + i * interval_s * 1000;
          return [t, this.#value(metric, i, (toMs - fromMs) / 1000 / interval_s)] as [number, number | null];
        }),
      }));
    return { ...range, interval_s, series };
  }

  /** A broadcast that begins at a fifth of the range, with a gap in what players report; nobody before it. */
  #value(metric: AnalyticsMetric, i: number, count: number): number | null {
    const at = i / count;
    const counted = metric === 'viewers' || metric === 'watch_time_s';
    if (this.empty || at < 0.2) return counted ? 0 : null;
    const wave = 0.75 + 0.25 * Math.sin(i / 7) + 0.08 * Math.sin(i * 2.3);
    const grown = Math.min(1, (at - 0.2) * 4);
    if (metric === 'viewers') return Math.round(typical.viewers * grown * wave);
    if (metric === 'watch_time_s') return Math.round((typical.watch_time_s / count) * grown * wave);
    if (at > 0.55 && at < 0.62) return null;
    return Number((typical[metric] * (0.8 + 0.35 * wave * Math.abs(Math.sin(i / 5 + typical[metric])))).toFixed(2));
  }

  #breakdown(range: { from: string; to: string }, query: URLSearchParams): AnalyticsBreakdown {
    const metric = (query.get('metric') ?? 'views') as AnalyticsMetric;
    const by = (query.get('by') ?? 'stream') as AnalyticsBreakdown['by'];
    const keys: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
      stream: this.streams.map(({ id, title }) => [id, title] as const),
      country: ['DE', 'FR', 'US', 'PL', 'unknown'].map((key) => [key, key] as const),
      device: ['desktop', 'mobile', 'tv', 'tablet'].map((key) => [key, key] as const),
      player: ['chrome', 'safari', 'firefox', 'vlc'].map((key) => [key, key] as const),
    };
    const items = (this.empty ? [] : (keys[by] ?? [])).map(([key, label], i) => ({
      key,
      label,
      value: Number((typical[metric] / (i + 1.4)).toFixed(2)),
      sessions: Math.round(typical.views / (i + 1.4)),
    }));
    return { ...range, metric, unit: analyticsUnitOf[metric], by, items };
  }

  #sessions(cursor: string | null, toMs: number): { items: AnalyticsSession[]; next_cursor: string | null } {
    if (this.empty) return { items: [], next_cursor: null };
    const start = cursor === null ? 0 : 10;
    const items = Array.from({ length: cursor === null ? 10 : 7 }, (_, n): AnalyticsSession => {
      const i = start + n;
      const startedMs = toMs - (i + 1) * 97_000;
      const failed = i % 9 === 4;
      return {
        session_id: `ses_${i}`,
        stream_id: this.streams[0]?.id ?? 'str_x',
        started_at: new Date(startedMs).toISOString(),
        ended_at: i < 3 ? null : new Date(startedMs + 900_000).toISOString(),
        watch_ms: failed ? 0 : 64_000 + i * 41_000,
        country: ['DE', 'FR', 'unknown'][i % 3] ?? 'DE',
        device: ['desktop', 'mobile'][i % 2] ?? 'tv',
        player: ['chrome', 'safari', 'vlc'][i % 3] ?? 'chrome',
        startup_ms: failed || i % 3 === 2 ? null : 540 + i * 13,
        rebuffer_count: i % 3 === 2 ? null : i % 4,
        rebuffer_ms: i % 3 === 2 ? null : (i % 4) * 410,
        bitrate_kbps: i % 3 === 2 ? null : 3_100,
        latency_ms: i % 3 === 2 ? null : 1_380 + i * 9,
        exit: i < 3 ? 'watching' : failed ? 'startup-failure' : 'quit',
      };
    });
    return { items, next_cursor: cursor === null ? 'second' : null };
  }

  #ingest(range: { from: string; to: string }, stream_id: string, fromMs: number, toMs: number): AnalyticsIngest {
    const count = Math.min(60, Math.floor((toMs - fromMs) / minuteMs));
    const points = Array.from({ length: count }, (_, i) => ({
      at: new Date(toMs - (count - i) * minuteMs).toISOString(),
      video_bps: 3_000_000 + 200_000 * Math.sin(i / 3),
      audio_bps: 160_000,
      frames_per_second: 30,
      keyframe_interval_s: 2,
      timestamp_gaps: 0,
      warnings: i === 5 ? ['keyframe-interval'] : [],
    }));
    return { stream_id, ...range, interval_s: 60, points };
  }
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

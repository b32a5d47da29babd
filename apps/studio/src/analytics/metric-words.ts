/** What the metrics are called and what they mean, in the words of docs/metrics.md. */
import type { Amount } from './amounts.ts';
import type { MetricName } from './analytics-resources.ts';

export interface MetricWords {
  readonly label: string;
  readonly amount: Amount;
  readonly meaning: string;
}

export const metricWords: Readonly<Record<MetricName, MetricWords>> = {
  viewers: {
    label: 'Peak viewers',
    amount: 'count',
    meaning: 'The most viewers that watched at the same time.',
  },
  unique_viewers: {
    label: 'Unique viewers',
    amount: 'count',
    meaning: 'Different viewers, told apart by address and browser within one day (UTC).',
  },
  views: {
    label: 'Views',
    amount: 'count',
    meaning: 'Sessions that started in this time: each opening of a player counts once.',
  },
  watch_time_s: {
    label: 'Watch time',
    amount: 'seconds',
    meaning: 'Time that all viewers together watched, waits and pauses included.',
  },
  startup_time_p50_ms: {
    label: 'Startup time',
    amount: 'milliseconds',
    meaning: 'From the attempt to play to the first frame, as players report it: half of the viewers waited no longer.',
  },
  startup_time_p95_ms: {
    label: 'Startup time, 95 %',
    amount: 'milliseconds',
    meaning: '95 of 100 viewers waited no longer for the first frame.',
  },
  startup_failure_percentage: {
    label: 'Startup failures',
    amount: 'percent',
    meaning: 'Views that failed before the first frame, of those whose player tells its start.',
  },
  exit_before_start_percentage: {
    label: 'Exits before start',
    amount: 'percent',
    meaning:
      'Views left after a second or more without a first frame or an error, of those whose player tells its start.',
  },
  rebuffer_percentage: {
    label: 'Rebuffering',
    amount: 'percent',
    meaning: 'Share of the watch time in which the picture stood still because media did not come in time.',
  },
  rebuffer_frequency_per_min: {
    label: 'Stops per minute',
    amount: 'rate-per-min',
    meaning: 'How often the picture stopped for lack of media, for each minute of watch time.',
  },
  bitrate_kbps: {
    label: 'Bitrate',
    amount: 'kbps',
    meaning: 'Mean bitrate of what was on the screen.',
  },
  rendition_switches: {
    label: 'Rendition switches',
    amount: 'count',
    meaning: 'How often players changed to a better or worse rendition.',
  },
  live_latency_ms: {
    label: 'Live latency',
    amount: 'milliseconds',
    meaning: 'How far behind the live edge viewers are, as players report it: half are nearer than this.',
  },
  live_latency_p95_ms: {
    label: 'Live latency, 95 %',
    amount: 'milliseconds',
    meaning: '95 of 100 viewers are nearer to the live edge than this.',
  },
};

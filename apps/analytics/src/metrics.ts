import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';
import { factTables } from './core/fact-rows.ts';
import type { FactSinkMetrics } from './inbound/fact-sink.ts';

/** Metrics of the analytics API. Labels are bounded sets; no stream, owner or session is one. */
export function createAnalyticsMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  return {
    queries: new Counter({
      name: 'millrace_analytics_queries_total',
      help: 'Questions to ClickHouse, by outcome (answered, away, too-slow, too-much, refused).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    querySeconds: new Histogram({
      name: 'millrace_analytics_query_duration_seconds',
      help: 'Time until ClickHouse had answered a question, or began to answer an export.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    refusedTokens: new Counter({
      name: 'millrace_analytics_tokens_refused_total',
      help: 'API tokens that were refused, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    refusedSql: new Counter({
      name: 'millrace_analytics_sql_refused_total',
      help: 'Statements of analysts that were refused before they ran, by reason (text, syntax, name).',
      labelNames: ['reason'] as const,
      registers,
    }),
    exports: new Gauge({
      name: 'millrace_analytics_exports_open',
      help: 'Exports that are being read now.',
      registers,
    }),
  };
}

export type AnalyticsMetrics = ReturnType<typeof createAnalyticsMetrics>;

/** What gauges read when they are scraped. */
export interface AnalyticsReadings {
  liveStreams(): number;
  liveViewers(): number;
  bufferedFacts(): number;
  /** 1 while facts cannot be inserted and wait in the log, else 0. */
  stalled(): number;
}

/** Gauges of analytics. */
export function registerAnalyticsGauges(registry: MetricsRegistry, readings: AnalyticsReadings): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  gauge('millrace_analytics_live_streams', 'Streams that are live or interrupted, as analytics knows it.', () =>
    readings.liveStreams(),
  );
  gauge('millrace_analytics_live_viewers', 'Viewers of all streams over the delivery instances that live.', () =>
    readings.liveViewers(),
  );
  gauge('millrace_analytics_facts_buffered', 'Facts in memory on their way into ClickHouse.', () =>
    readings.bufferedFacts(),
  );
  gauge('millrace_analytics_sink_stalled', '1 while ClickHouse does not take facts and they wait in the log.', () =>
    readings.stalled(),
  );
}

/** Metrics of the way from the log into ClickHouse. */
export function createFactSinkMetrics(registry: MetricsRegistry): FactSinkMetrics {
  const registers = [registry];
  const rows = new Histogram({
    name: 'millrace_analytics_insert_rows',
    help: 'Rows in one insert.',
    labelNames: ['table'] as const,
    buckets: [1, 10, 100, 1_000, 3_000, 10_000, 30_000],
    registers,
  });
  const seconds = new Histogram({
    name: 'millrace_analytics_insert_duration_seconds',
    help: 'Time of one insert until ClickHouse had it, views included.',
    labelNames: ['table'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const failures = new Counter({
    name: 'millrace_analytics_insert_failures_total',
    help: 'Inserts (or commits to the log) that failed and are repeated, by reason.',
    labelNames: ['table', 'reason'] as const,
    registers,
  });
  // There from the start, so that an alert can tell the first failure from none.
  for (const table of factTables) failures.inc({ table, reason: 'unreachable' }, 0);
  const parked = new Counter({
    name: 'millrace_analytics_facts_parked_total',
    help: 'Facts that ClickHouse cannot take, put into the dead-letter topic.',
    labelNames: ['topic'] as const,
    registers,
  });
  const delay = new Histogram({
    name: 'millrace_analytics_fact_queryable_seconds',
    help: 'Time from a fact to its row being queryable; of the last fact of each insert.',
    buckets: [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 600, 3_600],
    registers,
  });
  return {
    inserted: (table, count, took) => {
      rows.observe({ table }, count);
      seconds.observe({ table }, took);
    },
    insertFailed: (table, reason) => failures.inc({ table, reason }),
    parked: (topic) => parked.inc({ topic }),
    queryable: (delaySeconds) => delay.observe(delaySeconds),
  };
}

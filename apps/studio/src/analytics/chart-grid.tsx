/** The charts of the page, all over the same time. */

import { useMemo } from 'react';
import type { Loaded } from '../pages/use-call.ts';
import { type AnalyticsView, timesOf } from '../routing/analytics-view.ts';
import { navigate } from '../routing/router.tsx';
import type { Amount } from './amounts.ts';
import { type AnalyticsCalls } from './analytics-calls.ts';
import type { MetricName, Timeseries } from './analytics-resources.ts';
import { Chart } from './chart.tsx';
import { chartColumns } from './chart-data.ts';
import { metricWords } from './metric-words.ts';

interface ChartPlan {
  readonly title: string;
  readonly metrics: readonly MetricName[];
  readonly labels: readonly string[];
  readonly amount: Amount;
  readonly draw: 'area' | 'bars' | 'lines';
}

const plans: readonly ChartPlan[] = [
  { title: 'Concurrent viewers', metrics: ['viewers'], labels: ['Viewers'], amount: 'count', draw: 'area' },
  { title: 'Watch time', metrics: ['watch_time_s'], labels: ['Watch time'], amount: 'seconds', draw: 'bars' },
  {
    title: 'Startup time',
    metrics: ['startup_time_p50_ms', 'startup_time_p95_ms'],
    labels: ['half', '95 %'],
    amount: 'milliseconds',
    draw: 'lines',
  },
  { title: 'Rebuffering', metrics: ['rebuffer_percentage'], labels: ['Rebuffering'], amount: 'percent', draw: 'lines' },
  { title: 'Bitrate', metrics: ['bitrate_kbps'], labels: ['Bitrate'], amount: 'kbps', draw: 'lines' },
  {
    title: 'Live latency',
    metrics: ['live_latency_ms', 'live_latency_p95_ms'],
    labels: ['half', '95 %'],
    amount: 'milliseconds',
    draw: 'lines',
  },
  {
    title: 'Failures and exits',
    metrics: ['startup_failure_percentage', 'exit_before_start_percentage'],
    labels: ['failed', 'left before'],
    amount: 'percent',
    draw: 'lines',
  },
];

const chartMetrics = plans.flatMap((plan) => plan.metrics);

/** All series in one call. */
export function askTimeseries(calls: AnalyticsCalls, view: AnalyticsView, signal: AbortSignal) {
  return calls.timeseries(view, chartMetrics, signal);
}

interface ChartGridProps {
  readonly view: AnalyticsView;
  readonly timeseries: Loaded<Timeseries>;
}

export function ChartGrid({ view, timeseries: { value } }: ChartGridProps) {
  const times = timesOf(view.range, Date.now());
  const fromS = (value === undefined ? times.fromMs : Date.parse(value.from)) / 1000;
  const toS = (value === undefined ? times.toMs : Date.parse(value.to)) / 1000;
  const columns = useMemo(
    () => plans.map((plan) => (value === undefined ? undefined : chartColumns(value, plan.metrics))),
    [value],
  );
  const select = (fromMs: number, toMs: number) => {
    const minute = 60_000;
    const range = {
      kind: 'custom' as const,
      fromMs: Math.floor(fromMs / minute) * minute,
      toMs: Math.ceil(toMs / minute) * minute,
    };
    if (range.toMs - range.fromMs >= 2 * minute) navigate({ kind: 'analytics', view: { ...view, range } });
  };
  return (
    <div className="chart-grid">
      {plans.map((plan, index) => (
        <Chart
          key={plan.title}
          title={plan.title}
          meaning={plan.metrics.map((metric) => metricWords[metric].meaning).join(' ')}
          labels={plan.labels}
          amount={plan.amount}
          draw={plan.draw}
          columns={columns[index]}
          fromS={fromS}
          toS={toS}
          intervalS={value?.interval_s ?? 60}
          onSelect={select}
        />
      ))}
    </div>
  );
}

/** The figures of the whole range, each with its unit and what it means. */

import { amountText } from './amounts.ts';
import type { MetricName, Summary } from './analytics-resources.ts';
import { metricWords } from './metric-words.ts';

interface Tile {
  readonly metric: MetricName;
  /** A second figure below, and the words around it. */
  readonly beside?: { readonly metric: MetricName; readonly say: (amount: string) => string };
}

const tiles: readonly Tile[] = [
  { metric: 'viewers', beside: { metric: 'unique_viewers', say: (it) => `${it} unique` } },
  { metric: 'watch_time_s', beside: { metric: 'views', say: (it) => `${it} views` } },
  { metric: 'startup_time_p50_ms', beside: { metric: 'startup_time_p95_ms', say: (it) => `${it} for 95 %` } },
  {
    metric: 'startup_failure_percentage',
    beside: { metric: 'exit_before_start_percentage', say: (it) => `${it} left before` },
  },
  {
    metric: 'rebuffer_percentage',
    beside: { metric: 'rebuffer_frequency_per_min', say: (it) => it.replace(' /', ' stops /') },
  },
  { metric: 'bitrate_kbps', beside: { metric: 'rendition_switches', say: (it) => `${it} switches` } },
  { metric: 'live_latency_ms', beside: { metric: 'live_latency_p95_ms', say: (it) => `${it} for 95 %` } },
];

export function SummaryTiles({ summary }: { readonly summary: Summary | undefined }) {
  const value = (metric: MetricName) => summary?.metrics[metric].value ?? null;
  return (
    <>
      <dl className="tiles" aria-busy={summary === undefined}>
        {tiles.map(({ metric, beside }) => (
          <div key={metric} className="tile" title={metricWords[metric].meaning}>
            <dt>{metricWords[metric].label}</dt>
            <dd className="tile-value">
              {summary === undefined ? '\u00a0' : amountText(value(metric), metricWords[metric].amount)}
            </dd>
            {beside !== undefined && (
              <dd className="tile-beside" title={metricWords[beside.metric].meaning}>
                {summary === undefined
                  ? '\u00a0'
                  : beside.say(amountText(value(beside.metric), metricWords[beside.metric].amount))}
              </dd>
            )}
          </div>
        ))}
      </dl>
      <details className="meanings">
        <summary>What the figures mean</summary>
        <dl>
          {Object.entries(metricWords).map(([metric, { label, meaning }]) => (
            <div key={metric}>
              <dt>{label}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <p className="hint">
          Startup, stops, bitrate and latency come from the players themselves (CMCD); a player that reports nothing is
          counted as a viewer only, and “–” says that nobody reported.
        </p>
      </details>
    </>
  );
}

/** One metric by stream, country, device and player; a row's name makes it the filter. */
import { useCallback, useId, useState } from 'react';
import type { AnalyticsView } from '../routing/analytics-view.ts';
import { Link } from '../routing/router.tsx';
import { amountText } from './amounts.ts';
import type { AnalyticsCalls } from './analytics-calls.ts';
import { type Breakdown, type Dimension, dimensions, type MetricName, metricNames } from './analytics-resources.ts';
import { dimensionLabel } from './dimension-label.ts';
import { withFilter } from './filter-bar.tsx';
import { metricWords } from './metric-words.ts';
import { useAnalysis } from './use-analytics.ts';

const headings: Readonly<Record<Dimension, string>> = {
  stream: 'Streams',
  country: 'Countries',
  device: 'Devices',
  player: 'Players',
};

export function BreakdownTables({ view }: { readonly view: AnalyticsView }) {
  const id = useId();
  const [metric, setMetric] = useState<MetricName>('watch_time_s');
  return (
    <section aria-labelledby={`${id}-heading`}>
      <div className="section-head">
        <h2 id={`${id}-heading`}>Where it comes from</h2>
        <div className="filter">
          <label htmlFor={id} className="visually-hidden">
            Metric of the tables
          </label>
          <select
            id={id}
            value={metric}
            onChange={(event) => setMetric(metricNames.find((name) => name === event.target.value) ?? metric)}
          >
            {metricNames.map((name) => (
              <option key={name} value={name}>
                {metricWords[name].label}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div className="breakdowns">
        {dimensions.map((by) => (
          <BreakdownTable key={by} view={view} metric={metric} by={by} />
        ))}
      </div>
    </section>
  );
}

interface BreakdownTableProps {
  readonly view: AnalyticsView;
  readonly metric: MetricName;
  readonly by: Dimension;
}

function BreakdownTable({ view, metric, by }: BreakdownTableProps) {
  const ask = useCallback(
    (calls: AnalyticsCalls, of: AnalyticsView, signal: AbortSignal) => calls.breakdown(of, metric, by, 8, signal),
    [metric, by],
  );
  const { value, error } = useAnalysis(view, ask, 'seldom');
  const items = value?.items ?? [];
  const highest = Math.max(0, ...items.map((item) => item.value ?? 0));
  return (
    <div className="card breakdown">
      <table>
        <caption className="visually-hidden">
          {metricWords[metric].label} by {by}
        </caption>
        <thead>
          <tr>
            <th scope="col">{headings[by]}</th>
            <th scope="col" className="figure-cell">
              {metricWords[metric].label}
            </th>
            <th scope="col" className="figure-cell" title="Views that the figure stands on">
              Views
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <BreakdownRow key={item.key} {...{ item, view, metric, by, highest }} />
          ))}
        </tbody>
      </table>
      {items.length === 0 && (
        <p className="hint">{value === undefined && error === undefined ? 'Loading…' : 'Nothing yet.'}</p>
      )}
    </div>
  );
}

interface BreakdownRowProps extends BreakdownTableProps {
  readonly item: Breakdown['items'][number];
  readonly highest: number;
}

function BreakdownRow({ item, view, metric, by, highest }: BreakdownRowProps) {
  const label = dimensionLabel(by, item.key, item.label);
  return (
    <tr>
      <th scope="row">
        <Link to={{ kind: 'analytics', view: withFilter(view, by, item.key) }} title={`Only ${label}`}>
          {label}
        </Link>
        <meter className="share" min={0} max={highest || 1} value={item.value ?? 0} aria-hidden="true" />
      </th>
      <td className="figure-cell">{amountText(item.value, metricWords[metric].amount)}</td>
      <td className="figure-cell">{amountText(item.sessions, 'count')}</td>
    </tr>
  );
}

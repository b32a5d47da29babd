/** What the encoder of one stream sent, over the time of the page. */
import { useCallback, useMemo } from 'react';
import { type AnalyticsView, timesOf } from '../routing/analytics-view.ts';
import type { AnalyticsCalls } from './analytics-calls.ts';
import type { IngestHistory } from './analytics-resources.ts';
import { Chart } from './chart.tsx';
import type { ChartColumns } from './chart-data.ts';
import { useAnalysis } from './use-analytics.ts';

const bitrateLabels = ['Video', 'Audio'] as const;
const rateLabels = ['Frame rate'] as const;
const noop = () => undefined;

export function IngestCharts({ view, streamId }: { readonly view: AnalyticsView; readonly streamId: string }) {
  const ask = useCallback(
    (calls: AnalyticsCalls, of: AnalyticsView, signal: AbortSignal) => calls.ingest(streamId, of, signal),
    [streamId],
  );
  const { value } = useAnalysis(view, ask);
  const columns = useMemo(() => value && ingestColumns(value), [value]);
  if (value === undefined || columns === undefined || value.points.length === 0) return null;
  const { fromMs, toMs } = timesOf(view.range, Date.now());
  const warnings = warningCounts(value);
  const frame = { fromS: fromMs / 1000, toS: toMs / 1000, intervalS: value.interval_s, onSelect: noop };
  return (
    <section aria-labelledby="ingest-heading">
      <div className="section-head">
        <h2 id="ingest-heading">From the encoder</h2>
        {warnings !== '' && <p className="hint">Warnings: {warnings}</p>}
      </div>
      <div className="chart-grid">
        <Chart
          {...frame}
          title="Ingest bitrate"
          meaning="What the encoder sends, before any transcoding."
          labels={bitrateLabels}
          amount="kbps"
          draw="lines"
          columns={columns.bitrates}
        />
        <Chart
          {...frame}
          title="Frame rate"
          meaning="Frames that the encoder sends in a second."
          labels={rateLabels}
          amount="count"
          draw="lines"
          columns={columns.frameRate}
        />
      </div>
    </section>
  );
}

/** A silence of more than two points is a gap, not a line. */
function ingestColumns({ interval_s, points }: IngestHistory): Record<'bitrates' | 'frameRate', ChartColumns> {
  const times: number[] = [];
  const rows: (IngestHistory['points'][number] | undefined)[] = [];
  for (const point of points) {
    const atS = Date.parse(point.at) / 1000;
    const before = times.at(-1);
    if (before !== undefined && atS - before > 2.5 * interval_s) {
      times.push(before + interval_s);
      rows.push(undefined);
    }
    times.push(atS);
    rows.push(point);
  }
  const column = (of: (point: IngestHistory['points'][number]) => number) => rows.map((row) => (row ? of(row) : null));
  return {
    bitrates: { times, values: [column((p) => p.video_bps / 1000), column((p) => p.audio_bps / 1000)] },
    frameRate: { times, values: [column((p) => p.frames_per_second)] },
  };
}

function warningCounts({ points }: IngestHistory): string {
  const counts = new Map<string, number>();
  for (const code of points.flatMap((point) => point.warnings)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${code} (${count})`).join(', ');
}

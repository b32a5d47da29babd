/** Series of points as columns for a chart, and what a person who cannot see it is told. Pure. */
import { type Amount, amountText } from './amounts.ts';
import type { MetricName, Timeseries } from './analytics-resources.ts';

export interface ChartColumns {
  /** Starts of the buckets, s since 1970. */
  readonly times: readonly number[];
  /** One column for each metric that was asked for; null: nothing was measured. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** All columns have the same rows, whatever the answer left out. */
export function chartColumns(answer: Timeseries, metrics: readonly MetricName[]): ChartColumns {
  const found = metrics.map((metric) => answer.series.find((one) => one.metric === metric)?.points ?? []);
  const atMs = [...new Set(found.flat().map(([t]) => t))].sort((a, b) => a - b);
  const values = found.map((points) => {
    const byTime = new Map(points);
    return atMs.map((t) => byTime.get(t) ?? null);
  });
  return { times: atMs.map((t) => t / 1000), values };
}

export function isEmptyColumn(values: readonly (number | null)[]): boolean {
  return values.every((value) => value === null);
}

/** The last row in which something was measured. */
export function lastRow({ times, values }: ChartColumns): number | undefined {
  for (let row = times.length - 1; row >= 0; row--) {
    if (values.some((column) => column[row] !== null && column[row] !== undefined)) return row;
  }
  return undefined;
}

/** `Concurrent viewers: highest 12 at 14:05, last 3.` */
export function spokenSummary(
  title: string,
  labels: readonly string[],
  columns: ChartColumns,
  amount: Amount,
  timeText: (s: number) => string,
): string {
  const parts = columns.values.map((column, index) => {
    const highest = column.reduce<number | null>((top, v) => (v !== null && (top === null || v > top) ? v : top), null);
    const name = columns.values.length === 1 ? '' : `${labels[index] ?? ''} `;
    if (highest === null) return `${name}nothing measured`;
    const atS = columns.times[column.indexOf(highest)] ?? 0;
    const last = column.findLast((value) => value !== null) ?? null;
    return `${name}highest ${amountText(highest, amount)} at ${timeText(atS)}, last ${amountText(last, amount)}`;
  });
  return `${title}: ${parts.join('; ')}.`;
}

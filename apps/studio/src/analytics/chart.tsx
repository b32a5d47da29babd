/** A chart over time by uPlot: axes with units from zero, gaps where nothing was measured, one cursor for all charts. */
import 'uplot/dist/uPlot.min.css';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { type Amount, amountText, axisSteps, axisTop } from './amounts.ts';
import { type ChartColumns, isEmptyColumn, lastRow, spokenSummary } from './chart-data.ts';
import { axisTimes, pointTime } from './chart-time.ts';

interface ChartProps {
  readonly title: string;
  readonly meaning: string;
  /** One for each column. */
  readonly labels: readonly string[];
  readonly amount: Amount;
  readonly draw: 'area' | 'bars' | 'lines';
  /** Undefined while loading. */
  readonly columns: ChartColumns | undefined;
  /** What the time axis shows, s since 1970. */
  readonly fromS: number;
  readonly toS: number;
  /** Seconds that a point stands for. */
  readonly intervalS: number;
  /** A stretch of time was drawn with the mouse, ms. */
  readonly onSelect: (fromMs: number, toMs: number) => void;
}

const height = 190;
const syncKey = 'analytics';
/** Room for the longest label of an axis, px. */
const axisWidth: Readonly<Record<Amount, number>> = {
  count: 52,
  'rate-per-min': 72,
  seconds: 78,
  milliseconds: 62,
  percent: 52,
  kbps: 82,
};
const nothing: ChartColumns = { times: [], values: [] };

export function Chart(props: ChartProps) {
  const { title, meaning, labels, amount, columns = nothing, fromS, toS } = props;
  const id = useId();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [row, setRow] = useState<number | null>(null);
  const [byKey, setByKey] = useState(false);
  const withDay = toS - fromS > 86_400;
  const kind = `${amount} ${props.draw} ${labels.length}`;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(latest, element.clientWidth, setRow), [[]], element);
    plot.current = made;
    const width = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    width.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => made.redraw();
    scheme.addEventListener('change', repaint);
    return () => {
      width.disconnect();
      scheme.removeEventListener('change', repaint);
      made.destroy();
      plot.current = undefined;
    };
    // `kind` is all that a made chart cannot change.
  }, [kind]);

  useEffect(() => {
    const { times, values } = columns;
    plot.current?.setData([[...times], ...labels.map((_, index) => [...(values[index] ?? [])])]);
  }, [columns, labels, fromS, toS]);

  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const made = plot.current;
    if (step === 0 || made === undefined || columns.times.length === 0) return;
    event.preventDefault();
    const from = row ?? (step > 0 ? -1 : columns.times.length);
    const to = Math.min(columns.times.length - 1, Math.max(0, from + step));
    setByKey(true);
    const atS = columns.times[to] ?? 0;
    for (const one of uPlot.sync(syncKey).plots) one.setCursor({ left: one.valToPos(atS, 'x'), top: height / 3 });
  };

  const spoken = useMemo(
    () => spokenSummary(title, labels, columns, amount, (s) => pointTime(s, withDay)),
    [title, labels, columns, amount, withDay],
  );
  const shown = row ?? lastRow(columns);
  const empty = props.columns !== undefined && columns.values.every(isEmptyColumn);
  return (
    <figure className="card metric-chart">
      <figcaption>
        <h3 id={id} title={meaning}>
          {title}
        </h3>
        <p className="chart-readout" aria-live={byKey ? 'polite' : 'off'}>
          {labels.map((label, index) => (
            <span key={label} className={`chart-key chart-key-${index + 1}`}>
              {labels.length > 1 && <span className="chart-key-label">{label}</span>}
              <strong>
                {amountText((shown === undefined ? null : columns.values[index]?.[shown]) ?? null, amount)}
              </strong>
            </span>
          ))}
          <span className="chart-at">{shown === undefined ? '' : pointTime(columns.times[shown] ?? 0, withDay)}</span>
        </p>
      </figcaption>
      <div
        ref={holder}
        className="chart-plot"
        role="group"
        aria-roledescription="chart"
        aria-label={`${spoken} ${meaning}`}
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => setByKey(false)}
      />
      {props.columns === undefined && <p className="chart-note">Loading…</p>}
      {empty && <p className="chart-note">Nothing measured in this time</p>}
    </figure>
  );
}

/** A made chart reads its props through `latest`, so that new data need no new chart. */
function optionsOf(
  latest: { readonly current: ChartProps },
  width: number,
  onRow: (row: number | null) => void,
): uPlot.Options {
  const { amount, draw, labels } = latest.current;
  const steps = axisSteps(amount);
  const axis = { stroke: () => color('--ink-soft'), font: '12px system-ui, sans-serif', ticks: { show: false } };
  const grid = { stroke: () => color('--line'), width: 1 };
  return {
    width,
    height,
    padding: [10, 26, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [latest.current.fromS, latest.current.toS] },
      y: { range: (_, _min, max) => [0, axisTop(max, amount)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        space: 64,
        values: (_, splits, _i, _s, step) => axisTimes(splits, step),
      },
      {
        ...axis,
        grid,
        size: axisWidth[amount],
        space: 30,
        ...(steps === undefined ? {} : { incrs: [...steps] }),
        values: (_, splits) => splits.map((value) => amountText(value, amount)),
      },
    ],
    series: [{}, ...labels.map((_, index) => seriesOf(draw, index))],
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false, setScale: false },
      // Moves are shared between the charts; a stretch of time is drawn on one.
      sync: {
        key: syncKey,
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave', sub: () => true },
      },
    },
    hooks: {
      setCursor: [(u) => onRow(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          const { left, width: wide } = u.select;
          if (wide < 8) return;
          latest.current.onSelect(u.posToVal(left, 'x') * 1000, u.posToVal(left + wide, 'x') * 1000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function seriesOf(draw: ChartProps['draw'], index: number): uPlot.Series {
  const stroke = () => color(`--chart-${index + 1}`);
  const line: uPlot.Series = { stroke, width: 2, points: { size: 4, fill: stroke } };
  if (draw === 'lines') return line;
  if (draw === 'area') return { ...line, fill: () => color('--chart-wash') };
  // A bar stands over the time that it sums up, from the start of its bucket on.
  const paths = uPlot.paths.bars?.({ align: 1, size: [0.8, 48] });
  return { ...line, width: 0, fill: stroke, points: { show: false }, ...(paths === undefined ? {} : { paths }) };
}

function color(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

/** Which time: the last hour, day or week, or any from-to. */
import { type FormEvent, useId, useState } from 'react';
import { type AnalyticsRange, type AnalyticsView, timesOf } from '../routing/analytics-view.ts';
import { Link, navigate } from '../routing/router.tsx';
import { pointTime, utcTime } from './chart-time.ts';

const named = [
  { kind: 'hour', label: 'Last hour' },
  { kind: 'day', label: '24 hours' },
  { kind: 'week', label: '7 days' },
] as const;

export function RangePicker({ view }: { readonly view: AnalyticsView }) {
  const { range } = view;
  const [open, setOpen] = useState(range.kind === 'custom');
  return (
    <div className="range-picker">
      <nav className="segments" aria-label="Range of time">
        {named.map(({ kind, label }) => (
          <Link
            key={kind}
            to={{ kind: 'analytics', view: { ...view, range: { kind } } }}
            aria-current={range.kind === kind ? 'true' : undefined}
            onClick={() => setOpen(false)}
          >
            {label}
          </Link>
        ))}
        <button
          type="button"
          aria-expanded={open}
          data-current={range.kind === 'custom' || undefined}
          onClick={() => setOpen(!open)}
        >
          Custom
        </button>
      </nav>
      {open && <CustomRange key={JSON.stringify(range)} view={view} />}
    </div>
  );
}

function CustomRange({ view }: { readonly view: AnalyticsView }) {
  const ids = useId();
  const [times, setTimes] = useState(() => {
    const { fromMs, toMs } = timesOf(view.range, Date.now());
    return { from: localInput(fromMs), to: localInput(toMs) };
  });
  const range = customRange(times.from, times.to);
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (range !== undefined) navigate({ kind: 'analytics', view: { ...view, range } });
  };
  return (
    <form className="custom-range" onSubmit={apply}>
      <div className="field">
        <label htmlFor={`${ids}-from`}>From</label>
        <input
          id={`${ids}-from`}
          type="datetime-local"
          required
          value={times.from}
          onChange={(event) => setTimes({ ...times, from: event.target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${ids}-to`}>To</label>
        <input
          id={`${ids}-to`}
          type="datetime-local"
          required
          value={times.to}
          aria-invalid={range === undefined || undefined}
          onChange={(event) => setTimes({ ...times, to: event.target.value })}
        />
      </div>
      <button type="submit" className="button" disabled={range === undefined}>
        Apply
      </button>
      {range === undefined && <p className="hint">The end must be after the start.</p>}
    </form>
  );
}

/** The range in words, with UTC as the title. */
export function RangeWords({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <p className="hint" title={`${utcTime(from)} to ${utcTime(to)}`}>
      {pointTime(fromMs / 1000, true)} to {pointTime(toMs / 1000, true)}, times of {zone}
    </p>
  );
}

function customRange(from: string, to: string): AnalyticsRange | undefined {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  return fromMs < toMs ? { kind: 'custom', fromMs, toMs } : undefined;
}

/** As `datetime-local` takes it: local time without a zone, to the minute. */
function localInput(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Whom to look at: one stream, country, device or player. The choices are those that were seen in the range. */
import { useId, useMemo } from 'react';
import type { AnalyticsView } from '../routing/analytics-view.ts';
import { Link, navigate } from '../routing/router.tsx';
import { type AnalyticsCalls } from './analytics-calls.ts';
import type { Breakdown, Dimension } from './analytics-resources.ts';
import { dimensionLabel } from './dimension-label.ts';
import { useAnalysis } from './use-analytics.ts';

const filters = [
  { by: 'stream', key: 'streamId', label: 'Stream', all: 'All streams' },
  { by: 'country', key: 'country', label: 'Country', all: 'All countries' },
  { by: 'device', key: 'device', label: 'Device', all: 'All devices' },
  { by: 'player', key: 'player', label: 'Player', all: 'All players' },
] as const;
type FilterKey = (typeof filters)[number]['key'];

export function filterCount(view: AnalyticsView): number {
  return filters.filter(({ key }) => view[key] !== undefined).length;
}

export function withoutFilters(view: AnalyticsView): AnalyticsView {
  return { range: view.range };
}

/** The view with one filter set, or without it. */
export function withFilter(view: AnalyticsView, by: Dimension, value: string | undefined): AnalyticsView {
  const key: FilterKey = by === 'stream' ? 'streamId' : by;
  const { [key]: _before, ...others } = view;
  return value === undefined ? others : { ...others, [key]: value };
}

interface FilterBarProps {
  readonly view: AnalyticsView;
  /** The page's figures have come: now the choices may be asked for. */
  readonly ready: boolean;
}

export function FilterBar({ view, ready }: FilterBarProps) {
  return (
    <div className="filter-bar" role="group" aria-label="Filters">
      {filters.map((filter) => (
        <Filter key={filter.key} view={view} ready={ready} by={filter.by} label={filter.label} all={filter.all} />
      ))}
      {filterCount(view) > 0 && (
        <Link className="button button-quiet" to={{ kind: 'analytics', view: withoutFilters(view) }}>
          Clear
        </Link>
      )}
    </div>
  );
}

interface FilterProps extends FilterBarProps {
  readonly by: Dimension;
  readonly label: string;
  readonly all: string;
}

const askStreams = askChoices('stream');
const askCountries = askChoices('country');
const askDevices = askChoices('device');
const askPlayers = askChoices('player');
const asks = { stream: askStreams, country: askCountries, device: askDevices, player: askPlayers } as const;

function askChoices(by: Dimension) {
  return (calls: AnalyticsCalls, view: AnalyticsView, signal: AbortSignal) =>
    calls.breakdown(view, 'views', by, 100, signal);
}

function Filter({ view, ready, by, label, all }: FilterProps) {
  const id = useId();
  const value = by === 'stream' ? view.streamId : view[by];
  // What could be chosen instead does not depend on what is chosen.
  const others = useMemo(() => withFilter(view, by, undefined), [view, by]);
  const choices = useAnalysis(others, ready ? asks[by] : undefined, 'never').value?.items ?? [];
  const missing = value !== undefined && !choices.some((choice) => choice.key === value);
  return (
    <div className="filter">
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <select
        id={id}
        value={value ?? ''}
        data-set={value !== undefined || undefined}
        onChange={(event) =>
          navigate({ kind: 'analytics', view: withFilter(view, by, event.target.value || undefined) })
        }
      >
        <option value="">{all}</option>
        {missing && <option value={value}>{dimensionLabel(by, value, value)}</option>}
        {choices.map((choice: Breakdown['items'][number]) => (
          <option key={choice.key} value={choice.key}>
            {dimensionLabel(by, choice.key, choice.label)}
          </option>
        ))}
      </select>
    </div>
  );
}

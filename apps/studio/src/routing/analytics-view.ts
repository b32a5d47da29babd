/** What the analytics page looks at, as its address says it: a range of time and whom of the viewers. Pure. */

export type AnalyticsRange =
  | { readonly kind: 'hour' }
  | { readonly kind: 'day' }
  | { readonly kind: 'week' }
  /** Milliseconds since 1970; `toMs` is not part of it. */
  | { readonly kind: 'custom'; readonly fromMs: number; readonly toMs: number };

export interface AnalyticsView {
  readonly range: AnalyticsRange;
  readonly streamId?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly device?: string;
  readonly player?: string;
}

export const lastHour: AnalyticsView = { range: { kind: 'hour' } };

const namedRanges = { '1h': { kind: 'hour' }, '24h': { kind: 'day' }, '7d': { kind: 'week' } } as const;
const nameOfRange = { hour: '1h', day: '24h', week: '7d' } as const;
const lengthMs = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 } as const;

/** Reads `?range=24h&country=DE` or `?from=...&to=...`; what cannot be is left out. */
export function parseAnalyticsView(query: string): AnalyticsView {
  const said = new URLSearchParams(query);
  const text = (name: string) => said.get(name) || undefined;
  const [streamId, country, device, player] = ['stream_id', 'country', 'device', 'player'].map(text);
  return {
    range: rangeOf(said),
    ...(streamId === undefined ? {} : { streamId }),
    ...(country === undefined ? {} : { country }),
    ...(device === undefined ? {} : { device }),
    ...(player === undefined ? {} : { player }),
  };
}

function rangeOf(said: URLSearchParams): AnalyticsRange {
  const fromMs = Date.parse(said.get('from') ?? '');
  const toMs = Date.parse(said.get('to') ?? '');
  if (fromMs < toMs) return { kind: 'custom', fromMs, toMs };
  const name = said.get('range');
  return name === '24h' || name === '7d' ? namedRanges[name] : lastHour.range;
}

/** The query of the page's address; the last hour of everything has none. */
export function queryOfAnalyticsView(view: AnalyticsView): string {
  const query = new URLSearchParams();
  const { range } = view;
  if (range.kind === 'custom') setTimes(query, range.fromMs, range.toMs);
  else if (range.kind !== 'hour') query.set('range', nameOfRange[range.kind]);
  setFilters(query, view);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** The query of a call of the API: the range as times at `nowMs`, and the filters. */
export function analyticsCallQuery(view: AnalyticsView, nowMs: number): URLSearchParams {
  const query = new URLSearchParams();
  const { fromMs, toMs } = timesOf(view.range, nowMs);
  setTimes(query, fromMs, toMs);
  setFilters(query, view);
  return query;
}

export function timesOf(range: AnalyticsRange, nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  if (range.kind === 'custom') return range;
  return { fromMs: nowMs - lengthMs[range.kind], toMs: nowMs };
}

function setTimes(query: URLSearchParams, fromMs: number, toMs: number): void {
  query.set('from', new Date(fromMs).toISOString());
  query.set('to', new Date(toMs).toISOString());
}

function setFilters(query: URLSearchParams, { streamId, country, device, player }: AnalyticsView): void {
  if (streamId !== undefined) query.set('stream_id', streamId);
  if (country !== undefined) query.set('country', country);
  if (device !== undefined) query.set('device', device);
  if (player !== undefined) query.set('player', player);
}

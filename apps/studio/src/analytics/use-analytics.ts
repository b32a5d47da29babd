/** Calls of the analytics API for the page: asked anew for every view, and again while the range ends now. */
import { useCallback, useMemo } from 'react';
import type { Answer } from '../api/caller.ts';
import { type Loaded, useLoaded } from '../pages/use-call.ts';
import type { AnalyticsRange, AnalyticsView } from '../routing/analytics-view.ts';
import { useStudio } from '../session/context.tsx';
import { type AnalyticsCalls, analyticsCalls } from './analytics-calls.ts';

export function useAnalyticsCalls(): AnalyticsCalls {
  const { caller } = useStudio().api;
  return useMemo(() => analyticsCalls(caller, () => Date.now()), [caller]);
}

/** `ask` must be stable, as for `useLoaded`. `repeat`: as the range moves, four times less often, or not. */
export function useAnalysis<T>(
  view: AnalyticsView,
  ask: ((calls: AnalyticsCalls, view: AnalyticsView, signal: AbortSignal) => Answer<T>) | undefined,
  repeat: 'often' | 'seldom' | 'never' = 'often',
): Loaded<T> {
  const calls = useAnalyticsCalls();
  const bound = useCallback((signal: AbortSignal) => ask?.(calls, view, signal) ?? unasked<T>(), [ask, calls, view]);
  const everyMs = refreshMs[view.range.kind];
  const seldomMs = everyMs === undefined ? undefined : everyMs * 4;
  return useLoaded(
    ask === undefined ? undefined : bound,
    repeat === 'never' ? undefined : repeat === 'often' ? everyMs : seldomMs,
  );
}

/** Without an `ask` nothing is asked, and nothing comes. */
function unasked<T>(): Answer<T> {
  return new Promise(() => undefined);
}

/** A minute more changes the last hour at once, and a week hardly. A fixed range stays as it is. */
const refreshMs: Readonly<Record<AnalyticsRange['kind'], number | undefined>> = {
  hour: 15_000,
  day: 60_000,
  week: 300_000,
  custom: undefined,
};

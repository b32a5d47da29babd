import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnalyticsRange, AnalyticsView } from './analytics-view.ts';
import { imageVideoStatuses, jobStatuses } from './media-view.ts';
import { hrefOf, parseRoute, type Route } from './routes.ts';

const id = fc.string({ minLength: 1 }).filter((s) => s !== 'new' && s !== '.' && s !== '..');
const instant = fc.integer({ min: 0, max: 4_000_000_000_000 });
const range = fc.oneof(
  fc.constantFrom<AnalyticsRange>({ kind: 'hour' }, { kind: 'day' }, { kind: 'week' }),
  fc.tuple(instant, fc.integer({ min: 1, max: 90 * 86_400_000 })).map(([fromMs, spanMs]) => ({
    kind: 'custom' as const,
    fromMs,
    toMs: fromMs + spanMs,
  })),
);
const view = fc.record(
  { range, streamId: id, country: id, device: id, player: id },
  { requiredKeys: ['range'] },
) satisfies fc.Arbitrary<AnalyticsView>;
const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  fc.constantFrom<Route>({ kind: 'sign-in' }, { kind: 'streams' }, { kind: 'new-stream' }, { kind: 'tokens' }),
  view.map((one) => ({ kind: 'analytics' as const, view: one })),
  id.map((streamId) => ({ kind: 'stream' as const, streamId })),
  fc.constant<Route>({ kind: 'compose' }),
  fc
    .record({ status: fc.constantFrom(...jobStatuses), title: id }, { requiredKeys: [] })
    .map((one) => ({ kind: 'videos' as const, view: one })),
  fc
    .record({ status: fc.constantFrom(...imageVideoStatuses), name: id }, { requiredKeys: [] })
    .map((one) => ({ kind: 'images' as const, view: one })),
  id.map((videoId) => ({ kind: 'video' as const, videoId })),
  id.map((compositionId) => ({ kind: 'composition' as const, compositionId })),
  id.map((name) => ({ kind: 'image' as const, name })),
  fc.tuple(id, id).map(([playbackId, token]) => ({ kind: 'watch-video' as const, playbackId, token })),
  id.map((playbackId) => ({ kind: 'watch' as const, playbackId })),
  fc.tuple(id, id).map(([playbackId, token]) => ({ kind: 'watch' as const, playbackId, token })),
);

describe('addresses of pages', () => {
  it('lead back to the page they were made from', () => {
    fc.assert(
      fc.property(anyRoute, (route) => {
        const url = new URL(hrefOf(route), 'http://host');
        expect(parseRoute(url.pathname, url.search)).toEqual(route);
      }),
    );
  });

  it('never fail to be read', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (path, query) => void parseRoute(path, query)));
    expect(parseRoute('/streams/%E0%A4')).toEqual({ kind: 'stream', streamId: '%E0%A4' });
  });

  it('of analytics with a range that cannot be are those of the last hour', () => {
    for (const query of ['?from=x&to=y', '?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', '?range=year']) {
      expect(parseRoute('/analytics', query)).toEqual({ kind: 'analytics', view: { range: { kind: 'hour' } } });
    }
  });

  it('of no page are told as such', () => {
    expect(parseRoute('/nothing')).toEqual({ kind: 'not-found', path: '/nothing' });
    expect(parseRoute('/streams/a/b')).toMatchObject({ kind: 'not-found' });
    expect(parseRoute('/watch')).toMatchObject({ kind: 'not-found' });
    expect(parseRoute('/streams/')).toEqual({ kind: 'streams' });
  });
});

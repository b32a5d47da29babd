import type { HubStream } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Stream } from '../api/resources.ts';
import { liveList } from './live-list.ts';

const stream = (id: string, state?: Stream['state']): Stream => ({
  id,
  playback_id: `play_${id}`,
  owner_id: 'own_1',
  title: `Title ${id}`,
  visibility: 'public',
  latency_mode: 'low',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  state,
});
const live = (id: string, state: HubStream['state'], since = '2026-01-01T00:00:00Z'): HubStream => ({
  stream_id: id,
  playback_id: `play_${id}`,
  title: `Title ${id}`,
  visibility: 'public',
  state,
  live_since: since,
  viewers: 1,
});
const byId = (...all: readonly HubStream[]) => new Map(all.map((one) => [one.stream_id, one]));
const ids = (listed: readonly { readonly id: string }[]) => listed.map((one) => one.id);

describe('the list of streams', () => {
  it('has those on air first, the longest first, and the others as they came', () => {
    const now = byId(live('b', 'live', '2026-01-02T00:00:00Z'), live('c', 'interrupted', '2026-01-01T00:00:00Z'));
    const { onAir, others } = liveList(
      ['a', 'b', 'c', 'd'].map((id) => stream(id)),
      now,
    );
    expect([ids(onAir), ids(others)]).toEqual([
      ['c', 'b'],
      ['a', 'd'],
    ]);
    expect(others.map((one) => one.state)).toEqual(['idle', 'idle']);
  });

  it('shows a stream on air that no page has brought yet', () => {
    const { onAir } = liveList([], byId(live('x', 'live'), live('y', 'idle')));
    expect(onAir).toMatchObject([{ id: 'x', stream: undefined, title: 'Title x' }]);
  });

  it('goes by the API while the hub is not heard', () => {
    const { onAir, others } = liveList([stream('a', 'live'), stream('b')], undefined);
    expect([ids(onAir), others.map((one) => one.state)]).toEqual([['a'], [undefined]]);
  });

  it('has every stream once, whatever the hub says', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const state = fc.constantFrom<HubStream['state']>('idle', 'live', 'interrupted');
    fc.assert(
      fc.property(fc.uniqueArray(id), fc.array(fc.tuple(id, state)), (asked, told) => {
        const now = byId(...told.map(([one, is]) => live(one, is)));
        const { onAir, others } = liveList(
          asked.map((one) => stream(one)),
          now,
        );
        const all = [...ids(onAir), ...ids(others)];
        expect(new Set(all).size).toBe(all.length);
        expect(all).toEqual(expect.arrayContaining(asked));
      }),
    );
  });
});

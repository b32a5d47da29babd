import type { HubChange, HubStream } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { emptyView, foldChanges, viewOfSnapshot } from './channel-view.ts';

const stream = (stream_id: string, viewers = 0): HubStream => ({
  ...{ stream_id, playback_id: 'play_1', title: 't', visibility: 'public', state: 'live', live_since: null, viewers },
});

describe('the view of a channel', () => {
  it('folds changes onto the snapshot and leaves the earlier view as it was', () => {
    const before = viewOfSnapshot({ streams: [stream('a'), stream('b')] });
    const changes: HubChange[] = [
      { kind: 'counted', stream_id: 'a', viewers: 4 },
      { kind: 'stream-removed', stream_id: 'b' },
      { kind: 'stream', stream: stream('c', 1) },
      { kind: 'counted', stream_id: 'unknown', viewers: 9 },
    ];
    const after = foldChanges(before, changes);
    expect([...after.streams.values()]).toEqual([stream('a', 4), stream('c', 1)]);
    expect([...before.streams.keys()]).toEqual(['a', 'b']);
  });

  it('is the same object while nothing changes, so that nobody renders for it', () => {
    const view = viewOfSnapshot({ streams: [stream('a', 2)] });
    expect(foldChanges(view, [{ kind: 'counted', stream_id: 'a', viewers: 2 }])).toBe(view);
    expect(foldChanges(emptyView, [{ kind: 'stream-removed', stream_id: 'a' }])).toBe(emptyView);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchInfo } from '../api/resources.ts';
import { nextAskMs, nextWatchState, type WatchSignal, type WatchState } from './watch-state.ts';

const info = (state: WatchInfo['state']): WatchInfo => ({
  playback_id: 'play_1',
  title: 'Concert',
  state,
  latency_mode: 'low',
  visibility: 'public',
  hls_url: '/live/play_1/index.m3u8',
});
const says = (state: WatchInfo['state']): WatchSignal => ({ kind: 'info-received', info: info(state) });
const after = (...signals: readonly WatchSignal[]): WatchState =>
  signals.reduce(nextWatchState, { kind: 'loading' } as WatchState);
const playing = after(says('live'), { kind: 'playing' });

describe('what the watch page shows', () => {
  it('offline until the stream goes live, then the player', () => {
    expect(after(says('idle'))).toMatchObject({ kind: 'offline', ended: false });
    expect(after(says('idle'), says('live'))).toMatchObject({ kind: 'live', phase: 'starting' });
    expect(playing).toMatchObject({ kind: 'live', phase: 'playing' });
  });

  it('why the player has run dry, once the API says it', () => {
    const dry = nextWatchState(playing, { kind: 'ran-dry' });
    expect(dry).toMatchObject({ phase: 'waiting' });
    const interrupted = nextWatchState(dry, says('interrupted'));
    expect(interrupted).toMatchObject({ kind: 'live', phase: 'interrupted' });
    expect(nextWatchState(interrupted, says('live'))).toMatchObject({ phase: 'waiting' });
    expect(nextWatchState(interrupted, { kind: 'playing' })).toMatchObject({ phase: 'playing' });
    expect(nextWatchState(dry, says('idle'))).toMatchObject({ kind: 'offline', ended: true });
  });

  it('the last seconds of a stream that the API already calls over', () => {
    expect(nextWatchState(playing, says('idle'))).toBe(playing);
  });

  it('the end, although the API may still say live for a moment', () => {
    const ended = nextWatchState(playing, { kind: 'playback-ended' });
    expect(ended).toMatchObject({ kind: 'offline', ended: true });
    expect(nextWatchState(ended, says('live'))).toMatchObject({ kind: 'offline' });
    expect(nextWatchState(nextWatchState(ended, says('idle')), says('live'))).toMatchObject({ kind: 'live' });
    expect([says('live'), says('live'), says('live')].reduce(nextWatchState, ended)).toMatchObject({ kind: 'live' });
  });

  it('the player while the API is away, and the reason where there is no player', () => {
    const failed: WatchSignal = { kind: 'info-failed', error: { kind: 'unreachable' } };
    expect(nextWatchState(playing, failed)).toBe(playing);
    expect(after(failed)).toMatchObject({ kind: 'unreachable' });
    expect(after(failed, says('live'))).toMatchObject({ kind: 'live' });
  });

  it('that a link is wrong or missing', () => {
    const refused = (status: number): WatchSignal => ({
      kind: 'info-failed',
      error: { kind: 'refused', status, title: '', detail: undefined, issues: [] },
    });
    expect(after(refused(404))).toMatchObject({ kind: 'refused', reason: 'missing' });
    expect(after(refused(403))).toMatchObject({ kind: 'refused', reason: 'token' });
    expect(after({ kind: 'info-failed', error: { kind: 'signed-out' } })).toMatchObject({ reason: 'token' });
  });

  it('a new attempt with each lost player, counted until one plays', () => {
    const lost: WatchSignal = { kind: 'playback-lost' };
    expect([lost, lost].reduce(nextWatchState, playing)).toMatchObject({ phase: 'starting', attempt: 2 });
    expect(([lost, { kind: 'playing' }, lost] as const).reduce(nextWatchState, playing)).toMatchObject({ attempt: 1 });
  });

  it('comes to the player from every history once the stream is live and the link good', () => {
    const signal = fc.oneof(
      fc.constantFrom<WatchInfo['state']>('idle', 'live', 'interrupted').map(says),
      fc.constantFrom<WatchSignal>(
        { kind: 'info-failed', error: { kind: 'unreachable' } },
        { kind: 'playing' },
        { kind: 'ran-dry' },
        { kind: 'playback-ended' },
        { kind: 'playback-lost' },
      ),
    );
    fc.assert(
      fc.property(fc.array(signal), (signals) => {
        const state = after(...signals);
        // Whatever happened, the page either plays or asks again.
        if (signals.length > 0 && state.kind !== 'loading' && !(state.kind === 'live' && state.phase === 'playing')) {
          expect(nextAskMs(state)).toBeGreaterThan(0);
        }
        expect([says('live'), says('live'), says('live')].reduce(nextWatchState, state)).toMatchObject({
          kind: 'live',
        });
      }),
    );
  });
});

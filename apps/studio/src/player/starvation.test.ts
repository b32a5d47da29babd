import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MediaMoment, neverStarved, nextStarvation, type Starvation } from './starvation.ts';

const after = (...moments: readonly (readonly [MediaMoment, number])[]): Starvation =>
  moments.reduce((state, [moment, atMs]) => nextStarvation(state, moment, atMs), neverStarved);

describe('starvation of a player', () => {
  it('is from running dry to moving again', () => {
    const state = after(['playing', 500], ['waiting', 2_000], ['playing', 3_200]);
    expect(state).toMatchObject({ firstFrameAtMs: 500, count: 1, endedMs: 1_200, unreportedMs: 1_200 });
  });

  it('is not the wait for the first frame', () => {
    expect(after(['waiting', 0], ['playing', 900])).toMatchObject({ count: 0, endedMs: 0, firstFrameAtMs: 900 });
  });

  it('ends when the viewer pauses or jumps, who then waits by choice', () => {
    const state = after(['playing', 0], ['waiting', 100], ['interfered', 300], ['playing', 9_000]);
    expect(state).toMatchObject({ count: 1, endedMs: 200 });
  });

  it('has no length before it ends', () => {
    expect(after(['playing', 0], ['waiting', 100])).toMatchObject({ count: 1, endedMs: 0, unreportedMs: undefined });
  });

  it('never counts more time than has passed, whatever the element says', () => {
    const moment = fc.constantFrom<MediaMoment>('playing', 'waiting', 'interfered');
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, fc.nat(5_000))), (steps) => {
        let atMs = 0;
        let state = neverStarved;
        let waits = 0;
        for (const [one, waitMs] of steps) {
          atMs += waitMs;
          state = nextStarvation(state, one, atMs);
          if (one === 'waiting') waits += 1;
          expect(state.endedMs).toBeLessThanOrEqual(atMs);
          expect(state.count).toBeLessThanOrEqual(waits);
        }
      }),
    );
  });
});

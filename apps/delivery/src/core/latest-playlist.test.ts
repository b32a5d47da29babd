import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatestPlaylists } from './latest-playlist.ts';
import type { PlaylistBody } from './playback-source.ts';

const body = (name: string): PlaylistBody => ({
  targetDurationS: 2,
  plain: () => Buffer.from(name),
  gzip: () => Buffer.from(name),
});
const part = (msn: number, part: number | undefined, skip = false) => ({ msn, part, skip });
const newest = { msn: undefined, part: undefined, skip: false };

describe('the newest playlists of an edge', () => {
  it('answer whoever asks for no more than they list, for a second', () => {
    const latest = new LatestPlaylists(10);
    const held = body('7.3');
    latest.put('a', part(7, 3), held, 1_000);
    expect(latest.find('a', part(7, 3), 2_000)).toBe(held);
    expect(latest.find('a', part(7, 0), 2_000)).toBe(held);
    expect(latest.find('a', part(6, undefined), 2_000)).toBe(held);
    expect(latest.find('a', part(7, 4), 2_000)).toBeUndefined();
    expect(latest.find('a', part(7, undefined), 2_000)).toBeUndefined();
    expect(latest.find('a', part(7, 3), 2_001)).toBeUndefined();
    expect(latest.find('a', part(7, 3, true), 1_000)).toBeUndefined();
    expect(latest.find('b', part(7, 3), 1_000)).toBeUndefined();
  });

  it('answer who asks for the newest only while no further part can have come', () => {
    const latest = new LatestPlaylists(10);
    latest.put('a', part(7, 3), body('7.3'), 1_000);
    expect(latest.find('a', newest, 1_150)).toBeDefined();
    expect(latest.find('a', newest, 1_151)).toBeUndefined();
  });

  it('never give less than was asked for, in whatever order answers come', () => {
    const put = fc.record({ msn: fc.nat(3), part: fc.option(fc.nat(3), { nil: undefined }), gapMs: fc.nat(600) });
    fc.assert(
      fc.property(fc.array(put, { maxLength: 20 }), fc.nat(3), fc.nat(3), (puts, msn, index) => {
        const latest = new LatestPlaylists(10);
        const reached = new Map<PlaylistBody, number>();
        let nowMs = 0;
        for (const { msn, part: index, gapMs } of puts) {
          nowMs += gapMs;
          const held = body(`${msn}.${index}`);
          reached.set(held, index === undefined ? (msn + 1) * 10 - 1 : msn * 10 + index);
          latest.put('a', part(msn, index), held, nowMs);
        }
        const found = latest.find('a', part(msn, index), nowMs);
        if (found !== undefined) expect(reached.get(found)).toBeGreaterThanOrEqual(msn * 10 + index);
      }),
    );
  });

  it('are bounded in number, and forgotten with their stream and their time', () => {
    const latest = new LatestPlaylists(2);
    for (const key of ['str_1/a', 'str_2/a', 'str_2/b']) latest.put(key, part(1, 1), body(key), 0);
    expect(latest.find('str_1/a', part(1, 1), 0)).toBeUndefined();
    latest.deleteAll('str_2/');
    expect(latest.find('str_2/a', part(1, 1), 0)).toBeUndefined();
    latest.put('str_1/a', part(1, 1), body('x'), 0);
    latest.sweep(1_001);
    expect(latest.find('str_1/a', part(1, 1), 500)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { decideRecovery, rebuildDelayMs } from './recovery.ts';

describe('recovery from a fatal player error', () => {
  it('attaches the media again after a decoder error, unless that has just been done', () => {
    expect(decideRecovery({ type: 'mediaError', atMs: 1_000 }, undefined)).toBe('recover-media');
    expect(decideRecovery({ type: 'mediaError', atMs: 60_000 }, 1_000)).toBe('recover-media');
    expect(decideRecovery({ type: 'mediaError', atMs: 3_000 }, 1_000)).toBe('rebuild');
  });

  it('builds a new player after any other error', () => {
    for (const type of ['networkError', 'muxError', 'keySystemError', 'otherError']) {
      expect(decideRecovery({ type, atMs: 0 }, undefined)).toBe('rebuild');
    }
  });

  it('rebuilds at once, then less and less often, at least every 5 s', () => {
    const delays = Array.from({ length: 12 }, (_, attempt) => rebuildDelayMs(attempt));
    expect(delays.slice(0, 4)).toEqual([0, 500, 1_000, 2_000]);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(Math.max(...delays)).toBe(5_000);
  });
});

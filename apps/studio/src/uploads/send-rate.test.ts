import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesPerSecond, type RateWindow, remainingMs, withSample } from './send-rate.ts';

const run = (samples: readonly (readonly [number, number])[]): RateWindow =>
  samples.reduce<RateWindow>((window, [atMs, bytes]) => withSample(window, { atMs, bytes }), []);

describe('the rate of an upload', () => {
  it('is that of the last seconds', () => {
    const slowThenFast = [...Array(20).keys()].map(
      (i) => [i * 1_000, i < 10 ? i * 100 : 1_000 + (i - 10) * 5_000] as const,
    );
    expect(bytesPerSecond(run(slowThenFast))).toBe(5_000);
    expect(remainingMs(run(slowThenFast), 46_000 + 10_000)).toBe(2_000);
  });

  it('is unknown at first, and after the server kept less than was sent', () => {
    expect(bytesPerSecond(run([]))).toBeUndefined();
    expect(bytesPerSecond(run([[0, 0]]))).toBeUndefined();
    expect(
      bytesPerSecond(
        run([
          [0, 0],
          [5_000, 100],
          [5_100, 50],
        ]),
      ),
    ).toBeUndefined();
  });

  it('is never below zero nor beyond the fastest pair of samples, however they come, and keeps few of them', () => {
    const sample = fc.tuple(fc.nat(300), fc.integer({ min: -50, max: 5_000 }));
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 200 }), (steps) => {
        let [atMs, bytes] = [0, 0];
        let window: RateWindow = [];
        for (const [ms, more] of steps) {
          atMs += ms;
          bytes = Math.max(0, bytes + more);
          window = withSample(window, { atMs, bytes });
          expect(bytesPerSecond(window) ?? 0).toBeGreaterThanOrEqual(0);
          expect(window.length).toBeLessThanOrEqual(45);
          expect(window.at(-1)).toEqual({ atMs, bytes });
        }
      }),
    );
  });
});

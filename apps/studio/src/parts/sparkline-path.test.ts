import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendSample, sampleSpan } from '../pages/health-history.ts';
import { sparklinePath } from './sparkline-path.ts';

const size = { width: 240, height: 40 };

describe('a sparkline', () => {
  it('stays inside its box and ends at the right edge, whatever the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 200 }),
        (values) => {
          const points = sparklinePath(values, 60, size)
            .split(/[ML] /)
            .slice(1)
            .map((point) => point.trim().split(' ').map(Number));
          expect(points).toHaveLength(Math.min(60, values.length));
          for (const [x, y] of points) {
            expect(x).toBeGreaterThanOrEqual(0);
            expect(x).toBeLessThanOrEqual(240);
            expect(y).toBeGreaterThanOrEqual(0);
            expect(y).toBeLessThanOrEqual(40);
          }
          expect(points.at(-1)?.[0]).toBe(240);
        },
      ),
    );
  });

  it('needs two values', () => {
    expect(sparklinePath([], 60, size)).toBe('');
    expect(sparklinePath([1], 60, size)).toBe('');
  });
});

describe('the history of health samples', () => {
  it('holds each sample once and at most a minute of them', () => {
    let history: readonly { atMs: number }[] = [];
    for (let ms = 0; ms < 100_000; ms += 500) history = appendSample(history, { atMs: Math.floor(ms / 1000) * 1000 });
    expect(history).toHaveLength(sampleSpan);
    expect(history.at(-1)).toEqual({ atMs: 99_000 });
  });

  it('starts anew after a silence and when time goes back', () => {
    expect(appendSample([{ atMs: 1_000 }], { atMs: 20_000 })).toEqual([{ atMs: 20_000 }]);
    expect(appendSample([{ atMs: 9_000 }], { atMs: 1_000 })).toEqual([{ atMs: 1_000 }]);
  });
});

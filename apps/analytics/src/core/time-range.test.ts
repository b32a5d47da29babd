import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketsOf, minuteMs, mostBuckets, timeRange } from './time-range.ts';

const nowMs = Date.parse('2026-01-02T03:04:05.678Z');

describe('a time range', () => {
  it('is the last hour by default, in whole minutes', () => {
    expect(timeRange({}, nowMs)).toEqual({
      ok: true,
      value: { fromMs: Date.parse('2026-01-02T02:05:00Z'), toMs: Date.parse('2026-01-02T03:05:00Z') },
    });
  });

  it('is cut into buckets that cover it, none too many, or refused with an interval that works', () => {
    const minutes = fc.integer({ min: 0, max: 399 * 1440 });
    fc.assert(
      fc.property(
        minutes,
        fc.integer({ min: 1, max: 399 * 1440 }),
        fc.option(fc.integer({ min: 1, max: 10_080 })),
        (at, length, interval) => {
          const range = { fromMs: at * minuteMs, toMs: (at + length) * minuteMs };
          const cut = bucketsOf(range, interval === null ? undefined : interval * 60);
          if (!cut.ok) {
            const least = Number(/at least (\d+) s/.exec(cut.error.expected)?.[1]);
            expect(length * 60).toBeGreaterThan((mostBuckets - 2) * (interval ?? 0) * 60);
            // two more at most: the range grows to whole intervals
            expect((length * 60) / least).toBeLessThanOrEqual(mostBuckets);
            return;
          }
          const { fromMs, toMs, stepMs, count } = cut.value;
          expect(fromMs).toBeLessThanOrEqual(range.fromMs);
          expect(toMs).toBeGreaterThanOrEqual(range.toMs);
          expect([(toMs - fromMs) / stepMs, fromMs % stepMs]).toEqual([count, 0]);
          expect(count).toBeLessThanOrEqual(mostBuckets);
          if (interval === null) expect(count).toBeLessThanOrEqual(122);
        },
      ),
    );
  });
});

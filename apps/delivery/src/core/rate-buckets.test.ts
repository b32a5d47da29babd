import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RateBuckets } from './rate-buckets.ts';

const perSecond = 5;
const burst = 25;

it('no bucket ever gives more than its rate and its burst, whoever takes', () => {
  const takes = fc.array(
    fc.record({ waitMs: fc.nat(400), count: fc.integer({ min: 1, max: 40 }), spare: fc.boolean() }),
  );
  fc.assert(
    fc.property(takes, (series) => {
      const buckets = new RateBuckets(perSecond, burst, 1);
      let nowMs = 0;
      let taken = 0;
      for (const { waitMs, count, spare } of series) {
        nowMs += waitMs;
        taken += spare ? buckets.takeSpare('a', count, nowMs) : buckets.take('a', count, nowMs);
        expect(taken).toBeLessThanOrEqual(burst + (nowMs / 1_000) * perSecond + 1e-6);
      }
    }),
  );
});

it('who takes within the rate is never kept out by those who take what is spare', () => {
  const between = fc.array(fc.record({ atMs: fc.nat(20_000), count: fc.integer({ min: 1, max: 40 }) }));
  fc.assert(
    fc.property(between, (spares) => {
      const buckets = new RateBuckets(perSecond, burst, 1);
      const waiting = [...spares].sort((a, b) => a.atMs - b.atMs);
      for (let nowMs = 0; nowMs <= 20_000; nowMs += 1_000 / perSecond) {
        while (waiting[0] !== undefined && waiting[0].atMs <= nowMs) {
          const { atMs, count } = waiting.shift() ?? { atMs: 0, count: 0 };
          buckets.takeSpare('a', count, atMs);
        }
        expect(buckets.take('a', 1, nowMs)).toBe(1);
      }
    }),
  );
});

it('what is spare is what is above half a full bucket, and a bucket of one token keeps none back', () => {
  const buckets = new RateBuckets(perSecond, burst, 1);
  expect([buckets.takeSpare('a', 40, 0), buckets.takeSpare('a', 1, 0), buckets.take('a', 40, 0)]).toEqual([13, 0, 12]);
  expect(new RateBuckets(1, 1, 1).takeSpare('a', 1, 0)).toBe(1);
});

it('the key that was used longest ago is forgotten when there are too many', () => {
  const buckets = new RateBuckets(perSecond, burst, 2);
  for (const key of ['a', 'b', 'c']) buckets.take(key, burst, 0);
  expect([buckets.take('c', 1, 0), buckets.take('a', 1, 0)]).toEqual([0, 1]);
});

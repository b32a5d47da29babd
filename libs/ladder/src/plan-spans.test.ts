import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstFrameOf, frameTicks, segmentStarts, timescaleOf } from './frame-grid.ts';
import { type FrameRate, framesPerSecond } from './frame-rate.ts';
import { planSpans, wishedSpanMs } from './plan-spans.ts';

const keyframes = fc.array(fc.double({ min: 0, max: 600_000, noNaN: true }), { maxLength: 400 });

describe('spans', () => {
  it('cover the source once, from keyframe to keyframe', () => {
    fc.assert(
      fc.property(
        keyframes,
        fc.double({ min: 1, max: 600_000, noNaN: true }),
        fc.integer({ min: 1_000, max: 60_000 }),
        (keys, duration, target) => {
          const spans = planSpans(keys, duration, target);
          expect(spans[0]?.startMs).toBe(0);
          expect(spans.at(-1)?.endMs).toBeNull();
          spans.forEach((span, i) => {
            expect(span.span).toBe(i);
            expect(span.endMs).toBe(spans[i + 1]?.startMs ?? null);
            expect(span.lengthMs).toBeGreaterThan(0);
            if (i > 0) expect(keys).toContain(span.startMs);
          });
        },
      ),
    );
  });

  it('are between half and one and a half of the target where the keyframes allow it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 250, max: 4_000 }), fc.integer({ min: 1_000, max: 900_000 }), (every, duration) => {
        const keys = Array.from({ length: Math.ceil(duration / every) }, (_, i) => i * every);
        for (const span of planSpans(keys, duration, 24_000)) {
          expect(span.lengthMs).toBeLessThanOrEqual(36_000);
          if (duration > 36_000) expect(span.lengthMs).toBeGreaterThanOrEqual(12_000);
        }
      }),
    );
  });

  it('of a source with one keyframe are one', () => {
    expect(planSpans([0], 3_600_000, 24_000)).toEqual([{ span: 0, startMs: 0, endMs: null, lengthMs: 3_600_000 }]);
    expect(planSpans([], 0, 24_000)).toEqual([{ span: 0, startMs: 0, endMs: null, lengthMs: 1 }]);
  });

  it('are the shorter the more there is to encode, between 25 and 60 s', () => {
    const pictures = fc.record({
      width: fc.nat(8_000),
      height: fc.nat(5_000),
      rate: fc.double({ min: 0, max: 240, noNaN: true }),
    });
    fc.assert(
      fc.property(pictures, pictures, (a, b) => {
        const [ofA, ofB] = [a, b].map(({ width, height, rate }) => wishedSpanMs(width, height, rate)) as [
          number,
          number,
        ];
        expect(ofA).toBeGreaterThanOrEqual(25_000);
        expect(ofA).toBeLessThanOrEqual(60_000);
        if (a.width * a.height * a.rate > b.width * b.height * b.rate) expect(ofA).toBeLessThanOrEqual(ofB);
      }),
    );
    expect([wishedSpanMs(640, 360, 25), wishedSpanMs(1_280, 720, 30), wishedSpanMs(1_920, 1_080, 60)]).toEqual([
      60_000, 45_000, 25_000,
    ]);
  });

  it('are never more than the engine can hold', () => {
    const keys = Array.from({ length: 90_000 }, (_, i) => i * 1_000);
    expect(planSpans(keys, 90_000_000, 1_000).length).toBeLessThanOrEqual(4_000);
  });
});

const rates: readonly FrameRate[] = [
  ...[24, 25, 30, 50, 60].map((num) => ({ num, den: 1 })),
  ...[24_000, 30_000, 60_000].map((num) => ({ num, den: 1_001 })),
];
const anyRate = fc.constantFrom(...rates);

describe('the frame grid', () => {
  it('finds the frame of a keyframe again from a time in whole milliseconds', () => {
    fc.assert(
      fc.property(anyRate, fc.nat(500_000), (rate, n) => {
        const step = framesPerSecond(rate) > 35 ? 2 : 1;
        const exactMs = (n * step * 1_000) / framesPerSecond(rate);
        for (const ms of [exactMs, Math.round(exactMs), Math.floor(exactMs * 1_000) / 1_000]) {
          expect(firstFrameOf(ms, rate)).toBe(n * step);
        }
      }),
    );
  });

  it('begins a span with the picture of its keyframe or a later one, at most a pair of frames later', () => {
    fc.assert(
      fc.property(anyRate, fc.double({ min: 0, max: 10_000_000, noNaN: true }), (rate, keyframeMs) => {
        const at = (keyframeMs * framesPerSecond(rate)) / 1_000;
        const first = firstFrameOf(keyframeMs, rate);
        expect(first).toBeGreaterThanOrEqual(Math.round(at - 1e-6));
        expect(first).toBeLessThan(at + 2);
      }),
    );
  });

  it('rises with time and has the same cuts at full and at half rate', () => {
    const time = fc.double({ min: 0, max: 10_000_000, noNaN: true });
    fc.assert(
      fc.property(anyRate, time, time, (rate, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        expect(firstFrameOf(second, rate)).toBeGreaterThanOrEqual(firstFrameOf(first, rate));
        if (framesPerSecond(rate) > 35) {
          expect(firstFrameOf(a, rate)).toBe(2 * firstFrameOf(a, { num: rate.num, den: rate.den * 2 }));
        }
      }),
    );
  });

  it('cuts a span into segments of nearly equal length, the same at full and at half rate', () => {
    fc.assert(
      fc.property(
        anyRate,
        fc.integer({ min: 1, max: 4_000 }),
        fc.constantFrom(2_000, 4_000, 6_000),
        (rate, pairs, segmentMs) => {
          const frames = pairs * (framesPerSecond(rate) > 35 ? 2 : 1);
          const starts = segmentStarts(frames, segmentMs, rate);
          expect(starts[0]).toBe(0);
          const lengths = starts.map((start, i) => (starts[i + 1] ?? frames) - start);
          const wish = (segmentMs / 1_000) * framesPerSecond(rate);
          for (const length of lengths) {
            expect(length).toBeGreaterThan(0);
            expect(length).toBeLessThanOrEqual(1.5 * wish + 2);
            if (frames > wish) expect(length).toBeGreaterThanOrEqual(0.6 * wish - 2);
          }
          if (framesPerSecond(rate) > 35) {
            const halfRate = { num: rate.num, den: rate.den * 2 };
            expect(segmentStarts(frames / 2, segmentMs, halfRate).map((start) => start * 2)).toEqual(starts);
          }
        },
      ),
    );
  });

  it('has whole ticks', () => {
    for (const rate of [...rates, { num: 12_500, den: 1_000 }, { num: 17_203, den: 1_000 }]) {
      expect(Number.isInteger(frameTicks(rate))).toBe(true);
      expect(frameTicks(rate) / timescaleOf(rate)).toBeCloseTo(1 / framesPerSecond(rate), 12);
    }
  });
});

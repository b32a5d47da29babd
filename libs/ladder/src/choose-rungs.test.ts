import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRungs, defaultLadder } from './choose-rungs.ts';
import { frameRateOf, framesPerSecond, steadyRate } from './frame-rate.ts';

const sizes = (width: number, height: number, rate = 30) =>
  chooseRungs({ width, height, framesPerSecond: rate }).map((rung) => `${rung.name} ${rung.width}x${rung.height}`);

describe('the rungs of', () => {
  it.each([
    ['full HD', 1920, 1080, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360', '240p 426x240']],
    ['4K', 3840, 2160, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360', '240p 426x240']],
    [
      'a phone held upright',
      1080,
      1920,
      ['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640', '240p 240x426'],
    ],
    ['a size between two rungs', 1024, 576, ['576p 1024x576', '480p 854x480', '360p 640x360', '240p 426x240']],
    ['a size just above a rung', 1300, 724, ['724p 1300x724', '480p 862x480', '360p 646x360', '240p 430x240']],
    ['a tiny odd picture', 161, 91, ['91p 160x90']],
    ['cinema', 2048, 858, ['858p 2048x858', '720p 1718x720', '480p 1146x480', '360p 860x360', '240p 572x240']],
  ])('%s', (_, width, height, expected) => {
    expect(sizes(width, height)).toEqual(expected);
  });

  it('a fast source keep its rate where there are enough lines to see it, and half of it below', () => {
    const rates = (rate: number) =>
      chooseRungs({ width: 1280, height: 720, framesPerSecond: rate }).map((rung) => rung.framesPerSecond);
    expect(rates(60)).toEqual([60, 30, 30, 30]);
    expect(rates(50)).toEqual([50, 25, 25, 25]);
    expect(rates(25)).toEqual([25, 25, 25, 25]);
    expect(rates(240)).toEqual([60, 30, 30, 30]);
    expect(rates(60_000 / 1_001)[1]).toBeCloseTo(30_000 / 1_001, 9);
  });
});

const source = fc.record({
  width: fc.integer({ min: 2, max: 9_000 }),
  height: fc.integer({ min: 2, max: 9_000 }),
  framesPerSecond: fc.oneof(
    fc.constantFrom(24_000 / 1_001, 25, 29.97, 30, 50, 59.94, 60, 120),
    fc.double({ min: 1, max: 300, noNaN: true }),
  ),
});

it('for any source there is a rung, none is larger or faster than the source, and each is less work than the one before', () => {
  fc.assert(
    fc.property(source, (given) => {
      const rungs = chooseRungs(given);
      expect(rungs.length).toBeGreaterThan(0);
      expect(new Set(rungs.map((rung) => rung.name)).size).toBe(rungs.length);
      rungs.forEach((rung, i) => {
        const above = rungs[i - 1];
        expect(rung.name).toMatch(/^[a-z0-9]{1,16}$/);
        expect([rung.width % 2, rung.height % 2]).toEqual([0, 0]);
        expect(rung.width).toBeLessThanOrEqual(given.width);
        expect(rung.height).toBeLessThanOrEqual(given.height);
        // Within two pixels of the source's aspect.
        expect(Math.abs(rung.width - (rung.height * given.width) / given.height)).toBeLessThanOrEqual(
          2 * Math.max(1, given.width / given.height),
        );
        expect(rung.framesPerSecond).toBeLessThanOrEqual(
          Math.min(given.framesPerSecond, defaultLadder.maxFramesPerSecond * 1.01) + 0.01,
        );
        expect(rung.maxBitsPerSecond).toBeGreaterThanOrEqual(rung.bitsPerSecond);
        if (above === undefined) return;
        expect(rung.height * rung.width).toBeLessThan(above.height * above.width);
        expect(rung.bitsPerSecond).toBeLessThanOrEqual(above.bitsPerSecond);
      });
    }),
  );
});

it('a rate survives being written as a number', () => {
  fc.assert(
    fc.property(fc.constantFrom(23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 12.5, 15, 7.5), (rate) => {
      const fraction = frameRateOf(rate);
      expect(framesPerSecond(fraction)).toBeCloseTo(rate, 2);
      expect(frameRateOf(framesPerSecond(fraction))).toEqual(fraction);
    }),
  );
});

it('a steady source keeps its rate, one that wanders takes the standard rate above its average', () => {
  expect(steadyRate(30_000 / 1_001, 30_000 / 1_001)).toEqual({ num: 30_000, den: 1_001 });
  expect(steadyRate(25, 50)).toEqual({ num: 25, den: 1 });
  expect(steadyRate(28.4, 90_000)).toEqual({ num: 30, den: 1 });
  expect(steadyRate(29.87, 600)).toEqual({ num: 30_000, den: 1_001 });
  expect(steadyRate(17.2, 17.2)).toEqual({ num: 17_200, den: 1_000 });
  expect(steadyRate(0, 1_000)).toEqual({ num: 1_000, den: 1 });
  expect(steadyRate(0, 0)).toEqual({ num: 25, den: 1 });
  fc.assert(
    fc.property(fc.double({ noNaN: false }), fc.double({ noNaN: false }), (average, finest) => {
      const rate = framesPerSecond(steadyRate(average, finest));
      expect(rate > 0 && rate <= 1_000).toBe(true);
    }),
  );
});

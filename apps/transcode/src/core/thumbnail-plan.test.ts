import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planThumbnail, type ThumbnailWish } from './thumbnail-plan.ts';

const wish: fc.Arbitrary<ThumbnailWish> = fc.record({
  width: fc.integer({ min: 1, max: 16_384 }),
  height: fc.integer({ min: 1, max: 16_384 }),
  orientation: fc.integer({ min: 1, max: 8 }),
  side: fc.integer({ min: 16, max: 4_096 }),
  contentType: fc.constantFrom('image/jpeg', 'image/png', 'image/webp', 'image/gif'),
});

it('a thumbnail has the shape of what is shown, is never larger than that or than was asked for, and has at least a pixel', () => {
  fc.assert(
    fc.property(wish, (given) => {
      const { width, height } = planThumbnail(given);
      const turned = given.orientation >= 5;
      const shown = { width: turned ? given.height : given.width, height: turned ? given.width : given.height };
      expect(Math.max(width, height)).toBeLessThanOrEqual(given.side);
      for (const [small, large] of [
        [width, shown.width],
        [height, shown.height],
      ] as const) {
        expect(small).toBeGreaterThanOrEqual(1);
        expect(small).toBeLessThanOrEqual(large);
      }
      // to the pixel that a side is rounded by
      expect(Math.abs(width * shown.height - height * shown.width)).toBeLessThanOrEqual(
        Math.max(shown.width, shown.height),
      );
    }),
  );
});

it('colours are weighed by what can be seen of them, unless the picture is so large that it would not fit', () => {
  const of = (width: number, height: number, contentType: string) =>
    planThumbnail({ width, height, contentType, orientation: 1, side: 640 }).filter;
  expect(of(4_000, 4_000, 'image/png')).toContain('premultiply');
  expect(of(8_000, 8_000, 'image/webp')).toBe('scale=640:640:flags=area,setsar=1,format=bgra');
  expect(of(4_000, 3_000, 'image/jpeg')).toBe('scale=640:480:flags=area,setsar=1,format=bgr0');
});

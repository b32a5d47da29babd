import { imageVideoInputSchema } from '@millrace/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bodyOfWish, durationOf, motions, sizes, usualWish } from './video-wish.ts';

it('every wish with a length is sent in a form that the API takes', () => {
  const wish = fc.record({
    motion: fc.constantFrom(...motions.map(({ motion }) => motion)),
    seconds: fc.oneof(fc.constantFrom('5', '0,5', '600', '12.25', '', 'x', '0', '601'), fc.string()),
    size: fc.constantFrom(...sizes.map(({ name }) => name)),
    fill: fc.constantFrom('crop' as const, 'blur' as const),
    caption: fc.string({ maxLength: 500 }),
    audioVideoId: fc.constantFrom('', 'vid_1'),
    visibility: fc.constantFrom('public' as const, 'private' as const),
    provider: fc.constantFrom('', 'studio-x'),
    prompt: fc.string({ maxLength: 100 }),
  });
  fc.assert(
    fc.property(wish, fc.boolean(), (one, force) => {
      const body = bodyOfWish(one, force);
      if (durationOf(one.seconds) === undefined) expect(body).toBeUndefined();
      else imageVideoInputSchema.parse(body);
    }),
  );
  expect(bodyOfWish(usualWish, false)).toMatchObject({ duration_ms: 5_000, width: 1280, height: 720 });
});

it('lengths are those that the API allows', () => {
  expect(['0.5', '600', '0.4', '601', '1e2', '-1', '5 s'].map(durationOf)).toEqual([
    ...[500, 600_000, undefined, undefined, undefined, undefined, undefined],
  ]);
});

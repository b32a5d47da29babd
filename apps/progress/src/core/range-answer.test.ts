import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rangeContinues, validatorOf } from './range-answer.ts';

const date = 'Sun, 22 Nov 2026 10:00:00 GMT';

it('a rest is asked for only by what is surely the same version', () => {
  expect(validatorOf({ etag: '"a"' })).toBe('"a"');
  expect(validatorOf({ 'last-modified': 'Sun, 22 Nov 2026 09:00:00 GMT', date })).toMatch(/09:00/);
  const unsure = [
    {},
    { etag: 'W/"a"' },
    { etag: 'a' },
    { etag: '"a"', 'accept-ranges': 'none' },
    { etag: '"a"', 'content-encoding': 'gzip' },
    { 'last-modified': 'Sun, 22 Nov 2026 09:59:59 GMT', date }, // may have changed again in the same second
    { 'last-modified': 'Sun, 22 Nov 2026 09:00:00 GMT' },
    { 'last-modified': 'some day', date },
    { etag: 'W/"a"', 'last-modified': 'Sun, 22 Nov 2026 09:00:00 GMT', date },
  ];
  for (const headers of unsure) expect([headers, validatorOf(headers)]).toEqual([headers, undefined]);
});

it('what came is joined only to bytes that it follows, of a whole of the same size and version', () => {
  const size = fc.integer({ min: 1, max: 1_000 });
  const tag = fc.constantFrom('"a"', '"b"', undefined);
  fc.assert(
    fc.property(size, size, size, size, tag, fc.boolean(), (from, start, end, whole, etag, totalKnown) => {
      const headers = { 'content-range': `bytes ${start}-${end}/${whole}`, etag };
      const wanted = { validator: '"a"', from, total: totalKnown ? 500 : undefined };
      const fits = start === from && end >= start && end < whole && etag !== '"b"' && (!totalKnown || whole === 500);
      expect(rangeContinues({ status: 206, headers }, wanted)).toBe(fits);
      expect(rangeContinues({ status: 200, headers }, wanted)).toBe(false);
    }),
  );
  const multipart = { 'content-type': 'multipart/byteranges; boundary=x' };
  expect(rangeContinues({ status: 206, headers: multipart }, { validator: '"a"', from: 5, total: 9 })).toBe(false);
});

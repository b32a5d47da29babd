import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseArray, serializeArray } from './array-types.ts';
import { createTestDatabase } from './testing.ts';

it('any array of texts comes back from its text form as it was', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
  const elements = fc.array(fc.option(text, { nil: null }));
  fc.assert(
    fc.property(elements, (values) => {
      expect(parseArray(serializeArray(values))).toEqual(values);
    }),
  );
});

it('arrays of texts, numbers, bigints and booleans go through the server and come back', async () => {
  await using db = await createTestDatabase();
  const texts = ['a', 'b,"c"\\', '', 'NULL', '{}', 'ü 🎬'];
  const [row] = await db.sql`SELECT ${texts}::text[] AS texts, ${[1, -2]}::int4[] AS ints,
    ${['9007199254740993']}::int8[] AS bigs, ${['t', 'f']}::boolean[] AS flags, ${[]}::text[] AS none`;
  expect(row).toEqual({ texts, ints: [1, -2], bigs: [9_007_199_254_740_993n], flags: [true, false], none: [] });
  // (postgres.js takes the type of a bigint or boolean array from its first element: pass those as texts.)
  const found = await db.sql`SELECT 1 WHERE 'b,"c"\\' = ANY(${texts})`;
  expect(found).toHaveLength(1);
});

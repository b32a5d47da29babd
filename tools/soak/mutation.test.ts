import { expect, test } from 'vitest';
import { mutate, seededRandom } from './mutation.ts';

const original = Buffer.from(Array.from({ length: 8_000 }, (_, index) => index & 0xff));

test('the same seed breaks a stream in the same way', () => {
  const run = () => Array.from({ length: 50 }, (_, seed) => mutate(original, seededRandom(seed)).toString('base64'));
  expect(run()).toEqual(run());
});

test('nearly every mutation differs from the original, which stays as it was', () => {
  const before = Buffer.from(original);
  const random = seededRandom(7);
  const changed = Array.from({ length: 200 }, () => mutate(original, random)).filter(
    (bytes) => !bytes.equals(original),
  );
  expect(changed.length).toBeGreaterThan(180);
  expect(original.equals(before)).toBe(true);
});

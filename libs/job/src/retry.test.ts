import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultRetryPolicy, retryVerdict } from './retry.ts';

it('attempts end after three failures, or ten lapses, and not before', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.nat(12), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, lapses, random) => {
      const verdict = retryVerdict(defaultRetryPolicy, { failures, lapses }, random);
      expect(verdict.kind === 'given-up').toBe(failures >= 3 || lapses >= 10);
    }),
  );
});

it('a first lapse is made good at once; failures wait, each longer than half of the doubled pause, at most a minute', () => {
  const delay = (failures: number, lapses: number, random: number) => {
    const verdict = retryVerdict(
      { ...defaultRetryPolicy, maxFailures: 50, maxLapses: 50 },
      { failures, lapses },
      random,
    );
    return verdict.kind === 'again' ? verdict.delayMs : -1;
  };
  expect(delay(0, 1, 0.5)).toBe(0);
  expect(delay(1, 0, 0)).toBe(500);
  expect(delay(2, 0, 0)).toBe(1_000);
  expect(delay(0, 2, 0)).toBe(500);
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, lapses, random) => {
      expect(delay(failures, lapses, random)).toBeLessThanOrEqual(60_000);
      expect(delay(failures, lapses, random)).toBeGreaterThanOrEqual(0);
    }),
  );
});

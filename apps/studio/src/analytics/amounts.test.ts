import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Amount, amountText, axisSteps, axisTop, durationText } from './amounts.ts';

const amounts = ['count', 'rate-per-min', 'seconds', 'milliseconds', 'percent', 'kbps'] as const satisfies Amount[];

describe('amounts as people read them', () => {
  it('carry their unit and about three digits', () => {
    const texts = [
      amountText(1_204, 'count'),
      amountText(0.0834, 'rate-per-min'),
      amountText(849.6, 'milliseconds'),
      amountText(1_424, 'milliseconds'),
      amountText(0.625, 'percent'),
      amountText(100, 'percent'),
      amountText(640, 'kbps'),
      amountText(3_140, 'kbps'),
    ];
    expect(texts).toEqual(['1,204', '0.08 / min', '850 ms', '1.42 s', '0.63 %', '100 %', '640 kbit/s', '3.14 Mbit/s']);
  });

  it('tell nothing from zero', () => {
    for (const amount of amounts) {
      expect(amountText(null, amount)).toBe('–');
      expect(amountText(0, amount)).toMatch(/^0/);
    }
  });

  it('say lengths of time in two units', () => {
    const lengths = [0, 59.4, 61, 600, 3_599, 7_500, 172_800, 1_204_000].map(durationText);
    expect(lengths).toEqual(['0 s', '59 s', '1 min 1 s', '10 min', '59 min', '2 h 5 min', '2 d', '13 d 22 h']);
  });
});

describe('an axis', () => {
  it('has room above the highest value, whatever it is, and no more than all', () => {
    const value = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...amounts), value, (amount, highest) => {
        const shown = amount === 'percent' ? Math.min(100, highest) : highest;
        expect(axisTop(shown, amount)).toBeGreaterThanOrEqual(shown);
        expect(axisTop(shown, amount)).toBeGreaterThan(0);
      }),
    );
    expect(axisTop(99, 'percent')).toBe(100);
    expect(axisTop(null, 'count')).toBe(4);
  });

  it('counts people in whole ones, and time by the clock', () => {
    expect(axisSteps('count')?.every(Number.isInteger)).toBe(true);
    expect(axisSteps('seconds')).toEqual(expect.arrayContaining([30, 60, 600, 3_600, 86_400]));
    for (const amount of amounts) {
      const steps = axisSteps(amount) ?? [];
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    }
  });
});

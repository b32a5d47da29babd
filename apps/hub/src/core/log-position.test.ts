import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePosition, encodePosition, isBehind } from './log-position.ts';

const position = fc.array(fc.array(fc.bigInt({ min: 0n, max: 10n ** 13n }), { maxLength: 12 }), {
  minLength: 1,
  maxLength: 2,
});

describe('a position in the log', () => {
  it('is read as it was written, and fits the protocol', () => {
    fc.assert(
      fc.property(position, (given) => {
        const text = encodePosition(given);
        expect(text.length).toBeLessThanOrEqual(256);
        expect(decodePosition(text, given.length)).toEqual({ ok: true, value: given });
      }),
    );
  });

  it('is refused, never misread or thrown over, when somebody made it up', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z._]{0,300}$/)), (text) => {
        const decoded = decodePosition(text, 2);
        if (decoded.ok) expect(decodePosition(encodePosition(decoded.value), 2)).toEqual(decoded);
      }),
    );
    expect(decodePosition('1.2', 2).ok).toBe(false);
    expect(decodePosition('1..2_', 2).ok).toBe(false);
  });

  it('is behind another exactly when some partition is', () => {
    expect(isBehind([[1n, 5n]], [[1n, 6n]])).toBe(true);
    expect(isBehind([[1n]], [[1n, 1n]])).toBe(true);
    expect(isBehind([[2n, 5n]], [[1n, 5n]])).toBe(false);
  });
});

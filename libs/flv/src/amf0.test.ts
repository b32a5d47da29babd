import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmfValue, defaultAmfLimits, readAmf0, writeAmf0 } from './amf0.ts';

const valueArb: fc.Arbitrary<AmfValue> = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(fc.double(), fc.boolean(), fc.string({ unit: 'grapheme' }), fc.constant(null), fc.constant(undefined)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
})).value;

describe('AMF0', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.array(valueArb, { maxLength: 5 }), (values) => {
        expect(expectOk(readAmf0(writeAmf0(values)), 'values')).toEqual(values);
      }),
    );
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readAmf0(bytes)),
      { numRuns: 500 },
    );
  });

  it('refuses values that are deeper, more or longer than the limits', () => {
    let deep: AmfValue = 1;
    for (let i = 0; i < 9; i++) deep = [deep];
    for (const values of [[deep], Array(1_001).fill(1), ['x'.repeat(8_193)]]) {
      expect(readAmf0(writeAmf0(values), defaultAmfLimits)).toMatchObject({ ok: false, error: { kind: 'amf-limit' } });
    }
  });

  it('refuses an array whose count promises more than there is, at once', () => {
    expect(readAmf0(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 5))).toMatchObject({ ok: false });
  });

  it('gives objects no prototype to pollute', () => {
    const bytes = writeAmf0([JSON.parse('{"__proto__": {"polluted": true}}')]);
    const [object] = expectOk(readAmf0(bytes), 'values');
    expect(Object.getPrototypeOf(object)).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads the ECMA array and the end of ffmpeg’s onMetaData', () => {
    const bytes = Uint8Array.of(2, 0, 1, 0x61, 8, 0, 0, 0, 1, 0, 1, 0x77, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
    expect(expectOk(readAmf0(bytes), 'values')).toMatchObject(['a', { w: 2 }]);
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodePartMark, splitPartMark } from './part-mark.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const marks = fc.record(
  {
    part: fc.nat(0xffff_ffff),
    last: fc.boolean(),
    discontinuity: fc.boolean(),
    programDateTimeMs: fc.option(finite, { nil: undefined }),
    lastFrame: fc.record({ timestampMs: finite, counterDts: finite }),
  },
  { requiredKeys: ['part', 'last', 'discontinuity', 'programDateTimeMs'] },
);

it('every mark is read back as it was written, and the moof behind it stays', () => {
  fc.assert(
    fc.property(marks, fc.uint8Array(), (mark, moof) => {
      const split = splitPartMark(Buffer.concat([encodePartMark(mark), moof]));
      expect(split?.mark).toEqual(mark);
      expect(Buffer.from(split!.rest)).toEqual(Buffer.from(moof));
    }),
  );
});

it('any other bytes in front of a part are no mark', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => splitPartMark(bytes) === undefined));
});

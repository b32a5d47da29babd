import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from './line-reader.ts';
import { decodeAssignment, decodeUpLine, encodeAssignment, encodeUpLine, type UpLine } from './source-wire.ts';
import { anAssignment } from './testing/assignment.ts';

const upLines: fc.Arbitrary<UpLine> = fc.oneof(
  fc.record({
    kind: fc.constant('heartbeat' as const),
    lastPackagedMs: fc.option(fc.integer(), { nil: undefined }),
  }),
  fc.constant({ kind: 'paused' } as const),
  fc.constant({ kind: 'resumed' } as const),
  fc.record({ kind: fc.constant('released' as const), reason: fc.string({ maxLength: 500, unit: 'grapheme' }) }),
);

describe('the wire of a source claim', () => {
  it('an assignment is read back as it was written', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), (first, wall) => {
        const assignment = anAssignment({ firstTimestampMs: first, originWallMs: wall === 0 ? 0 : wall });
        expect(decodeAssignment(encodeAssignment(assignment))).toEqual({ ok: true, value: assignment });
      }),
    );
  });

  it('anything else in its header is refused with what was expected', () => {
    fc.assert(fc.property(fc.string(), (text) => !decodeAssignment(text).ok));
    const wrong = encodeAssignment(anAssignment({ streamId: 'key_01jd0000000000000000000001' as never }));
    expect(decodeAssignment(wrong)).toMatchObject({ error: { message: expect.stringContaining('str_') } });
  });

  it('lines are read back as they were written, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(upLines), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (lines, cuts) => {
        const reader = new LineReader(2_048);
        const bytes = Buffer.from(`\r\n${lines.map(encodeUpLine).join('\r\n')}`);
        const read: (UpLine | undefined)[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = cuts.next().value ?? 1;
          const texts = reader.feed(bytes.subarray(at, at + size));
          if (texts.ok) read.push(...texts.value.map(decodeUpLine));
          at += size;
        }
        expect(read).toEqual(
          lines.map((line) => ('reason' in line ? { ...line, reason: line.reason.slice(0, 500) } : line)),
        );
      }),
    );
  });

  it('a line beyond the bound breaks the stream for good, before it is whole', () => {
    const reader = new LineReader(100);
    expect(reader.feed(Buffer.alloc(60, 'a')).ok).toBe(true);
    expect(reader.feed(Buffer.alloc(60, 'a'))).toMatchObject({ error: { kind: 'line-too-long' } });
    expect(reader.feed(Buffer.from('\n{"paused":true}\n')).ok).toBe(false);
  });
});

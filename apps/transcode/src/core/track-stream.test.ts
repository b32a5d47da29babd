import { writeInitSection, writePart } from '@millrace/cmaf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type TrackPiece, TrackStream } from './track-stream.ts';

const avcConfig = Uint8Array.from([1, 0x64, 0, 0x1f, 0xff, 0xe0, 0]);
const init = writeInitSection({ kind: 'video', trackId: 1, timescale: 25_000, width: 64, height: 36, avcConfig });

function partOf(index: number, size: number): Uint8Array {
  const samples = [{ durationTicks: 1_000, size, keyframe: true, compositionTicks: 0 }];
  const payloads = [new Uint8Array(size).fill(index)];
  const part = { sequence: index + 1, trackId: 1, baseDts: index * 1_000, samples, payloads, segmentStart: false };
  return Buffer.concat(writePart(part));
}

/** Feeds the bytes in pieces and describes what comes out. */
function read(
  bytes: Uint8Array,
  cuts: readonly number[],
): { pieces: string[]; atEnd: boolean; fault: string | undefined } {
  const stream = new TrackStream();
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  const pieces: string[] = [];
  const describe = (piece: TrackPiece) =>
    piece.kind === 'init'
      ? `init ${piece.bytes.length} ${piece.section.codecs}`
      : `part ${piece.part.dts} ${piece.part.mediaBytes}`;
  for (let i = 1; i < edges.length; i++) {
    const fed = stream.feed(bytes.subarray(edges[i - 1], edges[i]));
    if (!fed.ok) return { pieces, atEnd: false, fault: fed.error.kind };
    pieces.push(...fed.value.map(describe));
  }
  return { pieces, atEnd: stream.atEnd, fault: undefined };
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

it('a track is read as its init section and its parts, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 8 }), cuts, (sizes, at) => {
      const bytes = Buffer.concat([init, ...sizes.map((size, i) => partOf(i, size))]);
      const expected = [`init ${init.length} avc1.64001f`, ...sizes.map((size, i) => `part ${i * 1_000} ${size}`)];
      expect(read(bytes, at)).toEqual({ pieces: expected, atEnd: true, fault: undefined });
    }),
  );
});

it('a track that breaks off is not at its end, and other bytes are refused without a throw', () => {
  const whole = Buffer.concat([init, partOf(0, 50)]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: whole.length - 1 }), cuts, (length, at) => {
      const { atEnd, fault } = read(whole.subarray(0, length), at);
      expect(fault).toBeUndefined();
      expect(atEnd).toBe(length === init.length);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 400 }), cuts, (bytes, at) => {
      expect(read(bytes, at).pieces).toEqual([]);
    }),
  );
});

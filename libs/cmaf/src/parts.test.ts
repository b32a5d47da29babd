import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CmafPart, CmafReader } from './cmaf-reader.ts';
import { type PartInput, writePart } from './part-writer.ts';

const sampleArb = fc.record({
  durationTicks: fc.integer({ min: 1, max: 2 ** 20 }),
  size: fc.integer({ min: 0, max: 60 }),
  keyframe: fc.boolean(),
  compositionTicks: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 20), max: 2 ** 20 })),
});

/** A part with random samples; an even one shares a duration, an audio one is all keyframes. */
const partArb: fc.Arbitrary<PartInput> = fc
  .record({
    sequence: fc.nat(2 ** 31),
    trackId: fc.integer({ min: 1, max: 9 }),
    baseDts: fc.nat(2 ** 48),
    samples: fc.array(sampleArb, { minLength: 1, maxLength: 20 }),
    even: fc.boolean(),
    audio: fc.boolean(),
    segmentStart: fc.boolean(),
  })
  .map(({ even, audio, samples, ...part }) => {
    const shaped = samples.map((sample) => ({
      ...sample,
      durationTicks: even ? 3_000 : sample.durationTicks,
      keyframe: audio || sample.keyframe,
      compositionTicks: audio ? 0 : sample.compositionTicks,
    }));
    return { ...part, samples: shaped, payloads: shaped.map((sample, i) => new Uint8Array(sample.size).fill(i + 1)) };
  });

function facts(part: PartInput) {
  return {
    sequence: part.sequence,
    trackId: part.trackId,
    dts: part.baseDts,
    duration: part.samples.reduce((sum, sample) => sum + sample.durationTicks, 0),
    sampleCount: part.samples.length,
    independent: part.samples[0]?.keyframe,
    mediaBytes: part.samples.reduce((sum, sample) => sum + sample.size, 0),
    segmentStart: part.segmentStart,
  };
}

function feedInPieces(reader: CmafReader, bytes: Uint8Array, cuts: readonly number[]): CmafPart[] {
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b);
  const parts: CmafPart[] = [];
  for (let i = 1; i < edges.length; i++) {
    parts.push(...expectOk(reader.feed(bytes.slice(edges[i - 1], edges[i])), 'feed'));
  }
  return parts;
}

describe('parts', () => {
  it('read back as what was written, whatever the fragmentation', () => {
    fc.assert(
      fc.property(
        fc.array(partArb, { maxLength: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
        (inputs, cuts) => {
          const written = inputs.map((input) => Buffer.concat(writePart(input)));
          const reader = new CmafReader();
          const parts = feedInPieces(reader, Buffer.concat(written), cuts);
          expect(parts).toMatchObject(inputs.map(facts));
          expect(parts.map((part) => Buffer.concat(part.bytes))).toEqual(written);
          expect(reader.atBoundary).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are handed out with their last byte and not before', () => {
    const input = { ...oneFrame(0), segmentStart: true };
    const bytes = Buffer.concat(writePart(input));
    const reader = new CmafReader();
    for (const byte of bytes.subarray(0, -1)) {
      expect(expectOk(reader.feed(Uint8Array.of(byte)), 'feed')).toEqual([]);
      expect(reader.atBoundary).toBe(false);
    }
    expect(expectOk(reader.feed(bytes.subarray(-1)), 'feed')).toHaveLength(1);
  });

  it('hold adjacent payloads as one slice and never copy them', () => {
    const memory = new Uint8Array(100);
    const payloads = [memory.subarray(0, 30), memory.subarray(30, 50), memory.subarray(60, 100)];
    const samples = payloads.map((payload) => ({ ...frame, size: payload.length }));
    const slices = writePart({ sequence: 1, trackId: 1, baseDts: 0, samples, payloads, segmentStart: false });
    expect(slices.slice(1).map((slice) => [slice.buffer === memory.buffer, slice.byteOffset, slice.length])).toEqual([
      [true, 0, 50],
      [true, 60, 40],
    ]);
  });

  it('that lie about their media, are too long or carry strange boxes break the reader for good', () => {
    const good = Buffer.concat(writePart(oneFrame(0)));
    const mdatAt = good.indexOf('mdat') - 4;
    const wrongSize = Buffer.from(good);
    wrongSize.writeUInt32BE(7, mdatAt);
    const strange = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from('moov')]);
    const noMoof = good.subarray(mdatAt);
    for (const bytes of [wrongSize, strange, noMoof, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x66, 0x72, 0x65, 0x65])]) {
      const reader = new CmafReader();
      expect(reader.feed(bytes).ok).toBe(false);
      expect(reader.feed(good).ok).toBe(false);
    }
    expect(new CmafReader({ maxPartBytes: 10 }).feed(good)).toMatchObject({ ok: false, error: { kind: 'too-large' } });
  });

  it('with damage anywhere never make the reader throw', () => {
    const good = Buffer.concat([oneFrame(0), oneFrame(3_000)].flatMap((part) => [...writePart(part)]));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
        const damaged = Buffer.from(good);
        damaged[at] = value;
        const reader = new CmafReader();
        reader.feed(damaged.subarray(0, cut));
        reader.feed(damaged.subarray(cut));
      }),
      { numRuns: 500 },
    );
  });
});

const frame = { durationTicks: 3_000, size: 20, keyframe: true, compositionTicks: 0 };

function oneFrame(baseDts: number): PartInput {
  const payloads = [new Uint8Array(20).fill(7)];
  return { sequence: 1, trackId: 1, baseDts, samples: [frame], payloads, segmentStart: false };
}

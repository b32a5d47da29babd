import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdtsReader } from './adts-reader.ts';
import { type FramePacket, FrameTable } from './frame-table.ts';
import { planJoin, rangeOf } from './join-plan.ts';

const frameMs = 40;

/** Packets in decoding order: groups of pictures, each with its B pictures behind the one that they are shown before. */
const packets = fc
  .array(fc.record({ frames: fc.integer({ min: 1, max: 30 }), bFrames: fc.nat(2), open: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((groups): readonly FramePacket[] => {
    const all: FramePacket[] = [];
    let first = 0;
    for (const [g, { frames, bFrames, open }] of groups.entries()) {
      // an open group: its keyframe is decoded before the last picture of the group in front of it
      const shown = Array.from({ length: frames }, (_, i) => first + i);
      const order: number[] = shown.slice(0, 1);
      for (let i = 1; i < frames; i += bFrames + 1) {
        const reference = Math.min(frames - 1, i + bFrames);
        order.push(first + reference, ...shown.slice(i, reference));
      }
      if (open && g > 0 && all.length > 1) order.splice(1, 0, ...[all.pop()].map((one) => (one?.ptsMs ?? 0) / frameMs));
      all.push(...order.map((at, i) => ({ ptsMs: at * frameMs, durationMs: frameMs, keyframe: i === 0 })));
      first += frames;
    }
    return all;
  });

describe('a table of pictures', () => {
  it('lets a copy begin and end only where nothing that is copied needs, or shows, anything else', () => {
    fc.assert(
      fc.property(packets, (all) => {
        const table = FrameTable.of(all);
        if (table === undefined) throw new Error('expected a table');
        expect(table.length).toBe(all.length);
        for (let i = 0; i <= all.length; i++) {
          const shownBefore = all.slice(0, i).every((packet) => packet.ptsMs < table.timeAt(i) - frameMs / 2);
          expect(table.canEnd(i)).toBe(shownBefore);
          if (!table.canStart(i)) continue;
          expect(all[i]).toMatchObject({ keyframe: true, ptsMs: table.timeAt(i) });
          expect(all.slice(i + 1).every((packet) => packet.ptsMs > table.timeAt(i))).toBe(true);
        }
      }),
    );
  });

  it('is none where two pictures have one time', () => {
    const one = { ptsMs: 0, durationMs: frameMs, keyframe: true };
    expect(FrameTable.of([one, one])).toBeUndefined();
    expect(FrameTable.of([])).toBeUndefined();
  });
});

const input = fc.record({
  packets,
  start: fc.double({ min: 0, max: 0.6, noNaN: true }),
  share: fc.double({ min: 0.2, max: 1, noNaN: true }),
});
const inputs = fc
  .array(input, { minLength: 2, maxLength: 6 })
  .map((all) =>
    all
      .map(({ packets: own, start, share }) => {
        const table = FrameTable.of(own);
        if (table === undefined) throw new Error('expected a table');
        const startMs = Math.floor(table.endMs * start);
        const endMs = Math.min(table.endMs, Math.ceil(startMs + table.endMs * share) + frameMs * 2);
        return { table, trim: { start_ms: startMs, end_ms: Math.max(endMs, 1) } };
      })
      .filter(({ table, trim }) => rangeOf(table, trim).to - rangeOf(table, trim).from >= 4),
  )
  .filter((all) => all.length >= 2);
const transition = fc.record({
  kind: fc.constantFrom('cut' as const, 'fade' as const, 'crossfade' as const),
  duration_ms: fc.integer({ min: 100, max: 2_000 }),
});

describe('the plan of a join', () => {
  it('covers the whole output without gap or overlap, and copies only what may be copied', () => {
    fc.assert(
      fc.property(inputs, transition, (all, how) => {
        const plan = planJoin(all, how);
        let atMs = 0;
        for (const piece of plan.pieces) {
          expect(piece.atMs).toBeCloseTo(atMs, 3);
          expect(piece.lengthMs).toBeGreaterThan(0);
          atMs += piece.lengthMs;
          if (piece.kind !== 'copy') continue;
          const { table } = all[piece.input] as (typeof all)[number];
          expect(table.canStart(piece.from)).toBe(true);
          expect(table.canEnd(piece.from + piece.frames)).toBe(true);
          expect(table.timeAt(piece.from)).toBe(piece.fromMs);
        }
        expect(plan.lengthMs).toBeCloseTo(atMs, 3);
        expect(plan).toEqual(planJoin(all, how));
      }),
      { numRuns: 300 },
    );
  });

  it('of whole inputs that are cut one to the next copies everything', () => {
    fc.assert(
      fc.property(fc.array(packets, { minLength: 2, maxLength: 5 }), (all) => {
        const tables = all.flatMap((own) => FrameTable.of(own) ?? []).map((table) => ({ table, trim: null }));
        const plan = planJoin(tables, { kind: 'cut', duration_ms: 0 });
        expect(plan.pieces.map((piece) => piece.kind)).toEqual(tables.map(() => 'copy'));
        expect(plan.encodedMs).toBe(0);
      }),
    );
  });
});

describe('copied sound', () => {
  it('is read out of ADTS the same in whatever pieces it comes', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 64 }), (all, step) => {
        const bytes = Uint8Array.from(all.flatMap((frame) => [...adtsHeader(frame.length), ...frame]));
        const reader = new AdtsReader();
        const read: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += step) read.push(...reader.feed(bytes.subarray(at, at + step)));
        expect(read).toEqual(all);
        expect(reader.config).toEqual(Uint8Array.of(0x11, 0x90)); // AAC-LC, 48 kHz, stereo
      }),
      { numRuns: 50 },
    );
    expect(() => new AdtsReader().feed(new Uint8Array(7))).toThrow('ADTS');
  });
});

function adtsHeader(payload: number): readonly number[] {
  const length = payload + 7;
  return [0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc];
}

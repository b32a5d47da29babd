import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';
import { ChunkDecoder } from './chunk-decoder.ts';

interface Sent {
  readonly csid: number;
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** Decodes `bytes` in pieces of `piece`; returns timestamps and bodies, and what stayed claimed. */
function decode(bytes: Uint8Array, piece: number) {
  const out: { timestamp: number; body: number[] }[] = [];
  const budget = new ByteBudget(1e6);
  const decoder = new ChunkDecoder(
    {
      refuse: () => undefined,
      begin: (head) => ({
        headBytes: Math.min(5, head.length),
        payload: new Uint8Array(Math.max(0, head.length - 5)),
        skip: false,
      }),
      complete: ({ timestamp }, head, payload) => void out.push({ timestamp, body: [...head, ...payload] }),
    },
    { minChunkBytes: 128, maxChunkBytes: 65_536, maxChunkStreams: 16 },
    budget,
  );
  let fault: unknown;
  for (let at = 0; at < bytes.length; at += piece) fault ??= decoder.push(bytes.subarray(at, at + piece));
  return { out, fault, claimed: budget.used };
}

/** Interleaves the chunks of one message on each chunk stream, extended timestamps on every chunk that needs one. */
function interleave(messages: readonly Sent[], chunkBytes: number): Uint8Array {
  const bytes: number[] = [];
  const rounds = Math.max(...messages.map((m) => Math.ceil(m.body.length / chunkBytes)), 1);
  for (let round = 0; round < rounds; round++) {
    for (const { csid, timestamp, body } of messages) {
      const from = round * chunkBytes;
      if (round > 0 && from >= body.length) continue;
      const extended = timestamp >= 0xffffff;
      const field = Math.min(timestamp, 0xffffff);
      bytes.push((round === 0 ? 0 : 0xc0) | csid);
      if (round === 0) {
        bytes.push(
          field >> 16,
          (field >> 8) & 0xff,
          field & 0xff,
          body.length >> 16,
          (body.length >> 8) & 0xff,
          body.length & 0xff,
          9,
          1,
          0,
          0,
          0,
        );
      }
      if (extended) bytes.push(timestamp >>> 24, (timestamp >>> 16) & 0xff, (timestamp >>> 8) & 0xff, timestamp & 0xff);
      bytes.push(...body.subarray(from, from + chunkBytes));
    }
  }
  return Uint8Array.from(bytes);
}

describe('the chunk stream', () => {
  it('gives back interleaved messages in any fragmentation, extended timestamps included', () => {
    const body = fc.uint8Array({ minLength: 1, maxLength: 700, size: 'max' });
    const timestamp = fc.oneof(
      fc.integer({ min: 0, max: 0xffffff + 2 }),
      fc.integer({ min: 0xfffffe, max: 0xffffffff }),
    );
    const sent = fc.uniqueArray(fc.record({ csid: fc.integer({ min: 3, max: 10 }), timestamp, body }), {
      selector: (m) => m.csid,
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(sent, fc.integer({ min: 1, max: 300 }), (messages, piece) => {
        const { out, fault, claimed } = decode(interleave(messages, 128), piece);
        expect(fault).toBeUndefined();
        expect(claimed).toBe(0);
        const expected = messages.map((m) => ({ timestamp: m.timestamp, body: [...m.body] }));
        const order = (list: typeof expected) => list.map((m) => JSON.stringify(m)).sort();
        expect(order(out)).toEqual(order(expected));
      }),
    );
  });

  it('adds the delta of the last header for a message that begins with a type 3 chunk', () => {
    const first = [3, 0, 0, 100, 0, 0, 1, 9, 1, 0, 0, 0, 7];
    const delta = [0x83, 0, 0, 40, 8];
    const { out } = decode(Uint8Array.from([...first, ...delta, 0xc3, 9, 0xc3, 10]), 3);
    expect(out.map((m) => m.timestamp)).toEqual([100, 140, 180, 220]);
  });

  it('never throws on arbitrary bytes, and claims nothing it does not give back or still hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.integer({ min: 1, max: 64 }), (bytes, piece) => {
        const { claimed } = decode(bytes, piece);
        expect(claimed).toBeGreaterThanOrEqual(0);
        expect(claimed).toBeLessThanOrEqual(1e6);
        expect(decode(bytes, bytes.length || 1).out).toEqual(decode(bytes, piece).out);
      }),
    );
  });
});

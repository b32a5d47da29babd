import fc from 'fast-check';
import { expect, it } from 'vitest';
import { piecesOf } from './quiet-cut.ts';
import { readWavHead, writeWav } from './wav.ts';

it('a WAV is read as it was written, and its samples are where its head says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 8_000, max: 96_000 }), (bytes, sampleRate) => {
      const file = writeWav(bytes, sampleRate);
      const head = readWavHead(file);
      expect(head).toEqual({ ok: true, value: { sampleRate, dataStart: 44 } });
      expect(file.subarray(44)).toEqual(bytes);
    }),
  );
});

it('no bytes make reading a head throw or run away', () => {
  const sampleRate = 16_000;
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readWavHead(bytes)));
  const file = writeWav(new Uint8Array(8), sampleRate);
  fc.assert(
    fc.property(fc.nat(43), fc.nat(255), (at, byte) => {
      const broken = file.slice();
      broken[at] = byte;
      readWavHead(broken);
    }),
  );
});

it('pieces are the whole, none longer than it may be, and are cut where it is quietest', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 100, max: 1_000 }),
      fc.nat(1_000),
      (total, most, seed) => {
        const loudness = (start: number) => (start * 7919 + seed) % 101;
        const pieces = piecesOf(total, { most, search: 50, window: 5 }, loudness);
        let at = 0;
        for (const { start, end } of pieces) {
          expect(start).toBe(at);
          expect(end - start).toBeGreaterThan(0);
          expect(end - start).toBeLessThanOrEqual(most);
          at = end;
        }
        expect(at).toBe(total);
      },
    ),
  );
  expect(piecesOf(100, { most: 60, search: 30, window: 10 }, (start) => (start === 40 ? 0 : 9))[0]).toEqual({
    start: 0,
    end: 45,
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ageOf, barcode, barcodeBits, paintBarcode, readBarcode } from './barcode.ts';

test('every time reads back from its blocks, however grey the encoder made them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 0, max: 100 }), (time, blur) => {
      const grey = barcodeBits(time).map((bit) => (bit ? 255 - blur : blur));
      expect(readBarcode(grey)).toBe(time % 2 ** 32);
    }),
  );
});

test('one misread block is noticed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 0, max: 39 }), (time, index) => {
      const blocks = barcodeBits(time).map((bit, i) => (bit !== (i === index) ? 255 : 0));
      expect(readBarcode(blocks)).not.toBe(time % 2 ** 32);
    }),
  );
});

test('what is painted into a picture reads back from the middle of the blocks', () => {
  const width = 320;
  const luma = new Uint8Array(width * 180).fill(90);
  paintBarcode(luma, width, 1_795_000_000_123);
  const { columns, rows, blockPx } = barcode;
  const middle = (index: number) =>
    (Math.floor(index / columns) + 0.5) * blockPx * width + ((index % columns) + 0.5) * blockPx;
  const blocks = Array.from({ length: columns * rows }, (_, index) => luma[middle(index)]!);
  expect(readBarcode(blocks)).toBe(1_795_000_000_123 % 2 ** 32);
});

test('an age survives the wrap of the clock', () => {
  expect(ageOf(2 ** 32 - 100, 2 ** 32 * 5 + 400)).toBe(500);
  expect(ageOf(1_000, 2 ** 32 * 3 + 1_700)).toBe(700);
});

/**
 * A wall clock that survives a video encoder: 32 bits of time and 8 bits of checksum as black and white blocks. The time is
 * in milliseconds modulo 2^32.
 */

/** Blocks in a row, rows of blocks, and a block's edge in pixels. */
export const barcode = { columns: 8, rows: 5, blockPx: 32 } as const;

const [black, white] = [16, 235];

/** The 40 bits for a time, most significant first; the checksum tells a torn or blurred reading. */
export function barcodeBits(timeMs: number): readonly boolean[] {
  const time = timeMs % 2 ** 32;
  const bits: boolean[] = [];
  for (let bit = 31; bit >= 0; bit--) bits.push(Math.floor(time / 2 ** bit) % 2 === 1);
  const sum = checksum(time);
  for (let bit = 7; bit >= 0; bit--) bits.push(((sum >> bit) & 1) === 1);
  return bits;
}

/** Paints the blocks into the top left corner of a luma plane of `width` bytes a row. */
export function paintBarcode(luma: Uint8Array, width: number, timeMs: number): void {
  barcodeBits(timeMs).forEach((bit, index) => {
    const x = (index % barcode.columns) * barcode.blockPx;
    const y = Math.floor(index / barcode.columns) * barcode.blockPx;
    for (let row = y; row < y + barcode.blockPx; row++) {
      luma.fill(bit ? white : black, row * width + x, row * width + x + barcode.blockPx);
    }
  });
}

/** The time in 40 block brightnesses (0 to 255); undefined when the checksum does not fit. */
export function readBarcode(brightness: readonly number[]): number | undefined {
  let time = 0;
  for (const value of brightness.slice(0, 32)) time = time * 2 + (value > 127 ? 1 : 0);
  let sum = 0;
  for (const value of brightness.slice(32, 40)) sum = sum * 2 + (value > 127 ? 1 : 0);
  return sum === checksum(time) ? time : undefined;
}

function checksum(time: number): number {
  const bytes = [time / 2 ** 24, time / 2 ** 16, time / 2 ** 8, time].map((part) => Math.floor(part) & 0xff);
  return bytes.reduce((sum, byte, index) => (sum * 31 + byte + index * 17) & 0xff, 0x5a);
}

/** How long ago `stamp` (modulo 2^32) was, at `nowMs`. */
export function ageOf(stamp: number, nowMs: number): number {
  const age = (nowMs - stamp) % 2 ** 32;
  return age > 2 ** 31 ? age - 2 ** 32 : age;
}

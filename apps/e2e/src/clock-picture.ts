/**
 * A wall clock in the picture: the top of each frame is a barcode of big black and white blocks, so that it survives any
 * encoder and can be read from a canvas. What a viewer sees minus what the blocks say is the latency from glass to glass.
 *
 * 40 blocks in 4 rows of 10, most significant bit first: 32 bits of the wall clock in ms (modulo 2^32, 49 days) and 8 bits of
 * check, which a blend of two frames or a torn one does not pass.
 */

export interface PictureSize {
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
}

export const clockGrid = { columns: 10, rows: 4, heightShare: 0.5 } as const;

const clockBits = 32;
const checkBits = 8;

/** The 40 bits that stand for a wall clock, ms since 1970. */
export function clockBitsOf(wallMs: number): readonly boolean[] {
  const value = Math.trunc(wallMs) >>> 0;
  const check = checkOf(value);
  const bits: boolean[] = [];
  for (let i = clockBits - 1; i >= 0; i--) bits.push(((value >>> i) & 1) === 1);
  for (let i = checkBits - 1; i >= 0; i--) bits.push(((check >>> i) & 1) === 1);
  return bits;
}

/** Reads 40 bits back: the wall clock modulo 2^32 ms; undefined when the check fails. */
export function readClockBits(bits: readonly boolean[]): number | undefined {
  let value = 0;
  for (let i = 0; i < clockBits; i++) value = value * 2 + (bits[i] ? 1 : 0);
  let check = 0;
  for (let i = clockBits; i < clockBits + checkBits; i++) check = check * 2 + (bits[i] ? 1 : 0);
  return check === checkOf(value) ? value : undefined;
}

/** Never 0 for 0, so that a black picture is no clock. */
function checkOf(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 15), 0x9e37_79b1);
  return ((mixed >>> 24) ^ 0xa5) & 0xff;
}

/**
 * Reads the clock of a picture. `brightness` gives that of a pixel, 0 to 255; the middle of each block is asked, at nine
 * points.
 */
export function readClockPicture(size: PictureSize, brightness: (x: number, y: number) => number): number | undefined {
  const { columns, rows, heightShare } = clockGrid;
  const [blockWidth, blockHeight] = [size.width / columns, (size.height * heightShare) / rows];
  const bits: boolean[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (const dy of [0.35, 0.5, 0.65]) {
        for (const dx of [0.35, 0.5, 0.65]) {
          sum += brightness(Math.floor((column + dx) * blockWidth), Math.floor((row + dy) * blockHeight));
        }
      }
      bits.push(sum / 9 > 127);
    }
  }
  return readClockBits(bits);
}

/** How long ago the moment was that a picture shows, ms, seen at `nowMs`; good for 24 days either way. */
export function clockAgeMs(pictureMs: number, nowMs: number): number {
  return ((Math.trunc(nowMs) >>> 0) - pictureMs) | 0;
}

/** Paints frames of one size in raw yuv420p (planes Y, U, V; BT.601 limited range). */
export class ClockPainter {
  readonly #size: PictureSize;
  readonly #frame: Uint8Array;

  constructor(size: PictureSize) {
    this.#size = size;
    const pixels = size.width * size.height;
    this.#frame = new Uint8Array(pixels * 1.5);
    this.#frame.fill(128, pixels);
  }

  /** The frame that shows `wallMs`. The same memory is painted again by the next call. */
  paint(wallMs: number, frameNumber: number): Uint8Array {
    const { width, height } = this.#size;
    const bandHeight = Math.floor(height * clockGrid.heightShare);
    const bits = clockBitsOf(wallMs);
    for (let row = 0; row < clockGrid.rows; row++) {
      const top = Math.round((row * bandHeight) / clockGrid.rows);
      const bottom = Math.round(((row + 1) * bandHeight) / clockGrid.rows);
      const line = this.#frame.subarray(top * width, (top + 1) * width);
      for (let column = 0; column < clockGrid.columns; column++) {
        const bit = bits[row * clockGrid.columns + column];
        const left = Math.round((column * width) / clockGrid.columns);
        line.fill(bit ? 235 : 16, left, Math.round(((column + 1) * width) / clockGrid.columns));
      }
      for (let y = top + 1; y < bottom; y++) this.#frame.copyWithin(y * width, top * width, (top + 1) * width);
    }
    // Below, stripes that move: something for the encoder to do, and for a person to see that it runs.
    const stripes = this.#frame.subarray(bandHeight * width, (bandHeight + 1) * width);
    for (let x = 0; x < width; x++) stripes[x] = 40 + (((x + frameNumber * 3) >> 2) & 0x7f);
    for (let y = bandHeight + 1; y < height; y++) {
      this.#frame.copyWithin(y * width, bandHeight * width, (bandHeight + 1) * width);
    }
    return this.#frame;
  }
}

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ClockPainter,
  clockAgeMs,
  clockBitsOf,
  type PictureSize,
  readClockBits,
  readClockPicture,
} from './clock-picture.ts';

const wallClocks = fc.integer({ min: 0, max: 4_102_444_800_000 });
const lumaOf =
  (frame: Uint8Array, { width }: PictureSize) =>
  (x: number, y: number) =>
    frame[y * width + x] ?? 0;

describe('a clock in the picture', () => {
  it('is read back to the millisecond from any size of frame', () => {
    const sizes = fc.record({
      width: fc.integer({ min: 40, max: 400 }).map((half) => half * 2),
      height: fc.integer({ min: 40, max: 300 }).map((half) => half * 2),
    });
    fc.assert(
      fc.property(wallClocks, sizes, fc.nat(1000), (wallMs, size, number) => {
        const frame = new ClockPainter(size).paint(wallMs, number);
        expect(readClockPicture(size, lumaOf(frame, size))).toBe(wallMs % 2 ** 32);
      }),
      { numRuns: 50 },
    );
  });

  it('does not pass its check with any one bit wrong', () => {
    fc.assert(
      fc.property(wallClocks, fc.nat(39), (wallMs, at) => {
        const bits = clockBitsOf(wallMs).map((bit, i) => (i === at ? !bit : bit));
        expect(readClockBits(bits)).not.toBe(wallMs % 2 ** 32);
      }),
    );
    expect(readClockPicture({ width: 640, height: 360 }, () => 0)).toBeUndefined();
    expect(readClockPicture({ width: 640, height: 360 }, () => 255)).toBeUndefined();
  });

  it('gives the age of a picture, also across the wrap of its 32 bits', () => {
    fc.assert(
      fc.property(wallClocks, fc.integer({ min: -1000, max: 1_000_000 }), (wallMs, ageMs) => {
        expect(clockAgeMs(wallMs % 2 ** 32, wallMs + ageMs)).toBe(ageMs);
      }),
    );
  });

  it('survives H.264 at a low bit rate', () => {
    const size = { width: 640, height: 360 };
    const painter = new ClockPainter(size);
    const clocks = Array.from({ length: 30 }, (_, i) => 1_795_000_000_123 + i * 33);
    const input = Buffer.concat(clocks.map((wallMs, i) => Buffer.from(painter.paint(wallMs, i))));
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p'];
    const encoded = spawnSync(
      'ffmpeg',
      [
        '-v',
        'error',
        ...raw,
        '-s',
        '640x360',
        '-r',
        '30',
        '-i',
        'pipe:0',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-tune',
        'zerolatency',
        '-b:v',
        '500k',
        '-f',
        'h264',
        'pipe:1',
      ],
      { input, maxBuffer: 2 ** 28 },
    );
    const decoded = spawnSync('ffmpeg', ['-v', 'error', '-f', 'h264', '-i', 'pipe:0', ...raw, 'pipe:1'], {
      input: encoded.stdout,
      maxBuffer: 2 ** 28,
    });
    const frameBytes = size.width * size.height * 1.5;
    const read = clocks.map((_, i) =>
      readClockPicture(size, lumaOf(decoded.stdout.subarray(i * frameBytes, (i + 1) * frameBytes), size)),
    );
    expect(read).toEqual(clocks.map((wallMs) => wallMs % 2 ** 32));
  });
});

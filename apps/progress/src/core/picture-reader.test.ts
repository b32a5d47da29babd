import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PictureLimits, PictureReader } from './picture-reader.ts';

const limits: PictureLimits = { maxBytes: 1_000_000, maxSide: 16_384, maxPixels: 64_000_000 };
const pictures = new Map<string, Uint8Array>();
const [width, height] = [322, 182];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pictures-'));
  const names = ['a.jpg', 'a.png', 'a.gif', 'lossy.webp', 'lossless.webp'];
  const outputs = names.flatMap((name) => [
    ...(name === 'lossless.webp' ? ['-lossless', '1'] : []),
    ...['-frames:v', '1', join(folder, name)],
  ]);
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}`, ...outputs]);
  for (const name of names) pictures.set(name, new Uint8Array(readFileSync(join(folder, name))));
  rmSync(folder, { recursive: true });
  for (const orientation of [3, 6]) {
    const jpeg = pictures.get('a.jpg') ?? new Uint8Array();
    pictures.set(
      `turned-${orientation}.jpg`,
      Uint8Array.from([...jpeg.subarray(0, 2), ...exifPart(orientation), ...jpeg.subarray(2)]),
    );
  }
});
afterAll(() => pictures.clear());

/** APP1 with an Exif directory of one entry. */
function exifPart(orientation: number): readonly number[] {
  const tiff = [
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1],
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
    0,
    0,
    0,
    0,
  ];
  return [0xff, 0xe1, 0, 2 + 6 + tiff.length, 0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
}

/** Reads `bytes` in pieces cut at `cuts`. */
function read(bytes: Uint8Array, cuts: readonly number[] = [], over: Partial<PictureLimits> = {}) {
  const reader = new PictureReader({ ...limits, ...over });
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const place of places) {
    const fed = reader.feed(bytes.subarray(from, place));
    if (!fed.ok) return fed;
    from = place;
  }
  return reader.end();
}

it('a picture is what its bytes say, however they are cut', () => {
  for (const [name, bytes] of pictures) {
    const facts = {
      contentType: name.endsWith('jpg') ? 'image/jpeg' : `image/${name.slice(name.lastIndexOf('.') + 1)}`,
      ...{ width, height, sizeBytes: bytes.length, orientation: Number(/\d/.exec(name)?.[0] ?? 1) },
    };
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
        expect(read(bytes, cuts), name).toEqual({ ok: true, value: facts });
      }),
      { numRuns: 30 },
    );
    expect(
      read(
        bytes,
        Array.from({ length: 400 }, (_, i) => i),
      ),
      name,
    ).toEqual({ ok: true, value: facts });
  }
});

it('whatever comes is taken or refused with a reason, and nothing throws', () => {
  const hostile = fc.tuple(
    fc.constantFrom(...Array.from({ length: 7 }, (_, i) => i)),
    fc.nat(),
    fc.uint8Array(),
    fc.nat(),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), hostile, (noise, [which, at, written, end]) => {
      const bytes = Uint8Array.from([...pictures.values()][which] ?? []);
      bytes.set(written.subarray(0, 20), at % Math.min(60, bytes.length - 20));
      for (const one of [noise, bytes.subarray(0, end % bytes.length), bytes]) {
        const result = read(one, [7]);
        if (result.ok) expect(result.value.width * result.value.height).toBeLessThanOrEqual(limits.maxPixels);
        else expect(result.error.reason).toMatch(/^expected /);
      }
    }),
  );
});

it('a picture that is too large is refused as soon as its header has come', () => {
  const bomb = Uint8Array.from(pictures.get('a.png') ?? []);
  new DataView(bomb.buffer).setUint32(16, 60_000);
  const refused = { ok: false, error: { kind: 'too-many-pixels', reason: expect.stringContaining('60000x182') } };
  expect(new PictureReader(limits).feed(bomb.subarray(0, 40))).toMatchObject(refused);
  expect(read(pictures.get('a.gif') ?? bomb, [], { maxBytes: 1_000 })).toMatchObject({
    error: { kind: 'picture-too-large' },
  });
});

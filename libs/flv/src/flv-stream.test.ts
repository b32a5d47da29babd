import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeControlTag, parseControlTag } from './control-tag.ts';
import { FlvReader } from './flv-reader.ts';
import { FlvWriter } from './flv-writer.ts';
import type { MediaTag } from './media-tag.ts';

const bytesArb = fc.uint8Array({ minLength: 1, maxLength: 300 });
const timeArb = fc.integer({ min: 0, max: 100_000 });
const tagArb: fc.Arbitrary<MediaTag> = fc.oneof(
  fc.record({ kind: fc.constant('video-config'), codec: fc.constant('avc'), timestampMs: timeArb, record: bytesArb }),
  fc.record({
    kind: fc.constant('video-frame'),
    timestampMs: timeArb,
    compositionMs: fc.integer({ min: -8_388_608, max: 8_388_607 }),
    keyframe: fc.boolean(),
    payload: bytesArb,
  }),
  fc.record({ kind: fc.constant('audio-config'), codec: fc.constant('aac'), timestampMs: timeArb, record: bytesArb }),
  fc.record({ kind: fc.constant('audio-frame'), timestampMs: timeArb, payload: bytesArb }),
  fc.record({ kind: fc.constant('data'), timestampMs: timeArb, payload: bytesArb }),
  fc.record({
    kind: fc.constant('end-of-sequence'),
    track: fc.constantFrom('video', 'audio'),
    timestampMs: timeArb,
  }),
);

/** The stream of `tags` as one array. */
function streamOf(tags: readonly MediaTag[]): Uint8Array {
  const writer = new FlvWriter();
  return Buffer.concat([writer.header({ video: true, audio: true }), ...tags.flatMap((tag) => writer.tag(tag))]);
}

/** Feeds `bytes` cut at `cuts` (fractions of its length). */
function readInPieces(bytes: Uint8Array, cuts: readonly number[], reader: FlvReader): MediaTag[] {
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b);
  const tags: MediaTag[] = [];
  for (let i = 1; i < edges.length; i++) {
    tags.push(...expectOk(reader.feed(bytes.slice(edges[i - 1], edges[i])), 'feed'));
  }
  return tags;
}

const cutsArb = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

describe('an FLV byte stream', () => {
  it('gives back every tag that was written, however the bytes are fragmented', () => {
    fc.assert(
      fc.property(fc.array(tagArb, { maxLength: 20 }), cutsArb, (tags, cuts) => {
        const seen = readInPieces(streamOf(tags), cuts, new FlvReader());
        expect(seen.map(plain)).toEqual(tags.map(plain));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same tags byte by byte', () => {
    const tags: MediaTag[] = [
      { kind: 'audio-frame', timestampMs: 1, payload: Uint8Array.of(1, 2) },
      { kind: 'video-frame', timestampMs: 2, compositionMs: -40, keyframe: true, payload: Uint8Array.of(3) },
    ];
    const reader = new FlvReader();
    const seen: MediaTag[] = [];
    for (const byte of streamOf(tags)) seen.push(...expectOk(reader.feed(Uint8Array.of(byte)), 'feed'));
    expect(seen.map(plain)).toEqual(tags.map(plain));
  });

  it('lays consecutive payloads of one track side by side', () => {
    const video = (n: number): MediaTag => ({
      kind: 'video-frame',
      timestampMs: n,
      compositionMs: 0,
      keyframe: false,
      payload: new Uint8Array(50).fill(n),
    });
    const audio: MediaTag = { kind: 'audio-frame', timestampMs: 0, payload: new Uint8Array(9) };
    const seen = readInPieces(streamOf([video(1), audio, video(2)]), [], new FlvReader());
    const [first, , second] = seen as [{ payload: Uint8Array }, unknown, { payload: Uint8Array }];
    expect(second.payload.buffer).toBe(first.payload.buffer);
    expect(second.payload.byteOffset).toBe(first.payload.byteOffset + 50);
  });

  it('unwraps timestamps from the first one it is told', () => {
    const first = 2 ** 32 * 3 - 10;
    const tags = [0, 20, 40].map(
      (ms): MediaTag => ({ kind: 'audio-frame', timestampMs: first + ms, payload: Uint8Array.of(1) }),
    );
    const seen = readInPieces(streamOf(tags), [0.5], new FlvReader({ firstTimestampMs: first }));
    expect(seen.map((tag) => tag.timestampMs)).toEqual([first, first + 20, first + 40]);
  });

  it('breaks for good on a wrong signature, an unknown tag type, a wrong previous-tag size and a tag over the bound', () => {
    const good = streamOf([{ kind: 'audio-frame', timestampMs: 0, payload: new Uint8Array(100) }]);
    const damaged = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte));
    for (const bytes of [damaged(0, 0), damaged(13, 1), damaged(12, 7), damaged(14, 0x7f)]) {
      const reader = new FlvReader();
      expect(reader.feed(bytes).ok).toBe(false);
      expect(reader.feed(good).ok).toBe(false);
    }
  });

  it('hands out the tags before a fault, and the fault with the next bytes', () => {
    const good = streamOf([{ kind: 'audio-frame', timestampMs: 0, payload: new Uint8Array(10) }]);
    const reader = new FlvReader();
    expect(expectOk(reader.feed(Buffer.concat([good, new Uint8Array(11)])), 'feed')).toHaveLength(1);
    expect(reader.feed(new Uint8Array(0)).ok).toBe(false);
  });

  it('skips and counts tags of other codecs', () => {
    const bytes = streamOf([{ kind: 'audio-frame', timestampMs: 0, payload: new Uint8Array(10) }]);
    bytes[24] = 0x2f; // MP3
    const reader = new FlvReader();
    expect(expectOk(reader.feed(bytes), 'feed')).toEqual([]);
    expect(reader.skipped).toBe(1);
  });

  it('survives any garbage without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const reader = new FlvReader();
        reader.feed(Buffer.concat([new FlvWriter().header({ video: true, audio: true }), bytes]));
      }),
    );
  });
});

describe('control tags', () => {
  it('carry their word through a stream and are no ordinary script tags', () => {
    const [tag] = readInPieces(streamOf([encodeControlTag('interrupted', 77)]), [], new FlvReader());
    expect(tag && parseControlTag(tag)).toBe('interrupted');
    expect(parseControlTag({ kind: 'data', timestampMs: 0, payload: Uint8Array.of(2, 0, 0) })).toBeUndefined();
    expect(parseControlTag({ kind: 'audio-frame', timestampMs: 0, payload: Uint8Array.of(1) })).toBeUndefined();
  });
});

describe('real ffmpeg', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-flv-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes FLV that reads as its own packets, and takes back what we write without a warning', () => {
    const file = join(folder, 'in.flv');
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440'];
    const coding = ['-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-c:a', 'aac'];
    execFileSync('ffmpeg', ['-v', 'error', ...source, ...coding, '-f', 'flv', file]);
    const reader = new FlvReader();
    const tags = expectOk(reader.feed(readFileSync(file)), 'feed');
    expect(reader.skipped).toBe(0);
    const frames = tags.filter((tag) => tag.kind === 'video-frame');
    expect(frames).toHaveLength(50);
    expect(frames.filter((frame) => frame.keyframe)).toHaveLength(2);

    const copy = join(folder, 'out.flv');
    const probe = (path: string) =>
      execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts,dts,size,flags', '-of', 'csv', path]);
    execFileSync('tee', [copy], { input: streamOf(tags), stdio: ['pipe', 'ignore', 'inherit'] });
    expect(probe(copy).toString()).toBe(probe(file).toString());
    const log = execFileSync('sh', ['-c', `ffmpeg -v warning -i "${copy}" -f null - 2>&1`]);
    expect(log.toString()).toBe('');
  });
});

/** Views and Buffers compare as plain arrays. */
function plain(tag: MediaTag): unknown {
  return JSON.parse(JSON.stringify(tag, (_, value) => (value instanceof Uint8Array ? Array.from(value) : value)));
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slab } from './slab.ts';
import { parseTagBody, type TagType, tagHeadBytes } from './tag-body.ts';
import { createTimestampUnwrapper } from './timestamp-unwrapper.ts';

const parse = (type: TagType, ...bytes: number[]) => {
  const at = type === 9 ? tagHeadBytes.video : type === 8 ? tagHeadBytes.audio : 0;
  return parseTagBody(type, 5, Uint8Array.from(bytes.slice(0, at)), Uint8Array.from(bytes.slice(at)));
};
const refusal = (type: TagType, ...bytes: number[]) => {
  const parsed = parse(type, ...bytes);
  return parsed.ok ? undefined : `${parsed.error.kind}: ${parsed.error.message}`;
};

describe('a tag body', () => {
  it('of a frame gives keyframe and signed composition time', () => {
    expect(parse(9, 0x17, 1, 0xff, 0xff, 0xd8, 9)).toEqual({
      ok: true,
      value: { kind: 'video-frame', timestampMs: 5, compositionMs: -40, keyframe: true, payload: Uint8Array.of(9) },
    });
    expect(parse(9, 0x27, 1, 0, 0, 40, 9)).toMatchObject({ value: { keyframe: false, compositionMs: 40 } });
  });

  it('of another codec is refused by the codec’s name', () => {
    expect(refusal(9, 0x12, 0)).toBe('unsupported-codec: video Sorenson H.263');
    expect(refusal(9, 0x90, 0x68, 0x76, 0x63, 0x31, 1)).toBe('unsupported-codec: video "hvc1" (Enhanced RTMP)');
    expect(refusal(8, 0x2f, 0xff)).toBe('unsupported-codec: audio MP3');
    expect(refusal(8, 0x90, 0x4f, 0x70, 0x75, 0x73)).toBe('unsupported-codec: audio "Opus" (Enhanced RTMP)');
  });

  it('that is empty, cut short or carries no media is refused with a reason', () => {
    expect(refusal(9)).toMatch(/^malformed/);
    expect(refusal(8)).toMatch(/^malformed/);
    expect(refusal(9, 0x17, 1, 0)).toMatch(/^malformed/);
    expect(refusal(9, 0x57, 0)).toMatch(/^not-media/);
    expect(refusal(8, 0xaf, 1)).toMatch(/^malformed/);
  });

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.constantFrom<TagType>(8, 9, 18), fc.uint8Array({ maxLength: 20 }), (type, bytes) => {
        parse(type, ...bytes);
      }),
    );
  });
});

describe('unwrapped timestamps', () => {
  it('follow any walk of steps below 24.8 days, across every wrap', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 40),
        fc.array(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), { maxLength: 50 }),
        (first, steps) => {
          const unwrapper = createTimestampUnwrapper(first);
          let time = first;
          for (const step of [0, ...steps]) {
            time += step;
            const raw = ((time % 2 ** 32) + 2 ** 32) % 2 ** 32;
            expect(unwrapper.unwrap(raw)).toBe(time);
          }
        },
      ),
    );
  });

  it('start at the first one when nothing is known', () => {
    const unwrapper = createTimestampUnwrapper();
    expect(unwrapper.unwrap(4_294_967_290)).toBe(4_294_967_290);
    expect(unwrapper.unwrap(4)).toBe(4_294_967_300);
  });
});

describe('a slab', () => {
  it('gives adjacent views until it is full, and a big request its own memory', () => {
    const slab = new Slab(10);
    const [a, b, c, d] = [slab.take(4), slab.take(6), slab.take(1), slab.take(11)];
    expect(a.buffer).toBe(b.buffer);
    expect(b.byteOffset).toBe(4);
    expect(c.buffer).not.toBe(a.buffer);
    expect(d.buffer.byteLength).toBe(11);
    expect(slab.take(2).byteOffset).toBe(1);
  });
});

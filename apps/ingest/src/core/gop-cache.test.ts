import type { MediaTag } from '@millrace/flv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GopCache } from './gop-cache.ts';

const config: MediaTag = { kind: 'video-config', codec: 'avc', timestampMs: 0, record: new Uint8Array(40) };
const aac: MediaTag = { kind: 'audio-config', codec: 'aac', timestampMs: 0, record: new Uint8Array(2) };
const video = (timestampMs: number, keyframe: boolean, bytes = 100): MediaTag => ({
  kind: 'video-frame',
  timestampMs,
  compositionMs: 0,
  keyframe,
  payload: new Uint8Array(bytes),
});
const audio = (timestampMs: number): MediaTag => ({ kind: 'audio-frame', timestampMs, payload: new Uint8Array(50) });
const kinds = (cache: GopCache) => cache.replay().map((tag) => `${tag.kind}@${tag.timestampMs}`);

describe('the cache for the next worker', () => {
  it('gives the sequence headers first, then everything since the newest keyframe, before anybody packaged anything', () => {
    const cache = new GopCache(1e6);
    for (const tag of [config, aac, video(0, true), audio(10), video(40, false), video(2_000, true), audio(2_010)])
      cache.add(tag);
    expect(kinds(cache)).toEqual(['video-config@2000', 'audio-config@2000', 'video-frame@2000', 'audio-frame@2010']);
  });

  it('keeps the group that a lost worker had not finished', () => {
    const cache = new GopCache(1e6);
    cache.add(config);
    cache.add(video(0, true));
    cache.packaged(0);
    for (const at of [1_960, 2_000, 2_040]) cache.add(video(at, at === 2_000));
    expect(kinds(cache)).toContain('video-frame@0');
    cache.packaged(2_400); // less than the margin beyond the keyframe
    expect(kinds(cache)).toContain('video-frame@0');
    cache.packaged(2_600);
    expect(kinds(cache)).toEqual(['video-config@2000', 'video-frame@2000', 'video-frame@2040']);
  });

  it('replays the configuration that was in force when its first group began', () => {
    const cache = new GopCache(1e6);
    const next: MediaTag = { ...config, record: new Uint8Array(41) };
    cache.add(config);
    cache.add(video(0, true));
    cache.packaged(0);
    cache.add(next);
    cache.add(video(1_000, true));
    const records = cache
      .replay()
      .filter((tag) => tag.kind === 'video-config')
      .map((tag) => tag.record.length);
    expect(records).toEqual([40, 41]);
  });

  it('without video starts a group each second', () => {
    const cache = new GopCache(1e6);
    cache.add(aac);
    for (let at = 0; at < 5_000; at += 20) cache.add(audio(at));
    expect(cache.replay().length).toBeLessThan(60);
    expect(kinds(cache)[0]).toBe('audio-config@4000');
  });

  it('never holds more than its cap, and after an overflow waits for a keyframe', () => {
    const cache = new GopCache(5_000);
    cache.add(config);
    cache.add(video(0, true, 3_000));
    cache.add(video(40, false, 3_000));
    expect(cache.bytes).toBe(0);
    expect(cache.overflows).toBe(1);
    cache.add(video(80, false));
    expect(kinds(cache)).toEqual(['video-config@0']);
    cache.add(video(120, true));
    expect(kinds(cache)).toEqual(['video-config@120', 'video-frame@120']);
    const tags = fc.oneof(
      fc
        .record({ at: fc.integer({ min: 0, max: 1e5 }), key: fc.boolean(), bytes: fc.integer({ min: 1, max: 3_000 }) })
        .map((t) => video(t.at, t.key, t.bytes)),
      fc.integer({ min: 0, max: 1e5 }).map(audio),
    );
    fc.assert(
      fc.property(
        fc.array(tags, { maxLength: 200, size: 'max' }),
        fc.array(fc.option(fc.integer({ min: 0, max: 1e5 })), { maxLength: 5 }),
        (given, packaged) => {
          const any = new GopCache(20_000);
          given.forEach((tag, i) => {
            any.add(tag);
            if (i % 40 === 39) any.packaged(packaged[Math.trunc(i / 40)] ?? undefined);
            expect(any.bytes).toBeLessThanOrEqual(20_000);
          });
          const first = any.replay().find((tag) => tag.kind === 'video-frame');
          if (first !== undefined && any.replay().every((tag) => tag.kind !== 'audio-frame'))
            expect(first).toMatchObject({ keyframe: true });
        },
      ),
    );
  });
});

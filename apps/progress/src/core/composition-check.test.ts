import { mostCompositionRepeats } from '@millrace/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CompositionItem } from './composition.ts';
import { checkComposition, type Transition } from './composition-check.ts';
import { newVideo, type VideoRecord } from './video.ts';

const cut: Transition = { kind: 'cut', durationMs: 0 };
const durationMs = 10_000;

function aVideo(videoId: string, given: Partial<VideoRecord> = {}): VideoRecord {
  const created = newVideo(
    {
      ...{ videoId, playbackId: `play_${videoId}`, ownerId: 'own_1', title: videoId, visibility: 'public' },
      ...{ origin: 'upload', sourceState: 'ready', processOnSource: true },
    },
    0,
  );
  const video = {
    ...{ codec: 'h264', profile: 'High', width: 320, height: 180, frames_per_second: 30, bits_per_second: null },
    ...{ pixel_format: 'yuv420p', rotation: 0 },
  };
  const media = { container: 'mov', duration_ms: durationMs, size_bytes: 1, video, audio: null };
  return { ...created, status: 'completed', sourceKey: `videos/${videoId}/source`, media, ...given };
}

function item(videoId: string, startMs?: number, endMs?: number): CompositionItem {
  return { videoId, startMs, endMs };
}

function codesOf(
  items: readonly CompositionItem[],
  videos: readonly VideoRecord[],
  transition = cut,
): readonly (string | undefined)[] {
  const checked = checkComposition(items, new Map(videos.map((video) => [video.videoId, video])), transition);
  return checked.ok ? [] : checked.error.map(({ code, path }) => `${code} ${path}`);
}

const videos = [aVideo('vid_a'), aVideo('vid_b'), aVideo('vid_c')];
const range = fc
  .tuple(fc.integer({ min: 0, max: durationMs - 100 }), fc.integer({ min: 100, max: durationMs }))
  .filter(([start, end]) => end - start >= 100);
const goodItem = fc
  .tuple(fc.constantFrom('vid_a', 'vid_b', 'vid_c'), fc.option(range, { nil: undefined }))
  .map(([id, trim]) => item(id, trim?.[0], trim?.[1]));

it('any two or more finished videos of one owner can be joined, with trims inside of them', () => {
  fc.assert(
    fc.property(fc.array(goodItem, { minLength: 2, maxLength: mostCompositionRepeats }), (items) => {
      const checked = checkComposition(items, new Map(videos.map((video) => [video.videoId, video])), cut);
      expect(checked.ok).toBe(true);
      if (!checked.ok) return;
      expect(checked.value.map(({ item: one }) => one)).toEqual(items);
      for (const { lengthMs } of checked.value) expect(lengthMs).toBeGreaterThanOrEqual(100);
    }),
  );
});

it('one thing wrong with one video is refused at its place, whatever stands around it', () => {
  const wrong: readonly [string, CompositionItem, readonly VideoRecord[]][] = [
    ['unknown-video', item('vid_x'), []],
    ['unfinished-video', item('vid_x'), [aVideo('vid_x', { status: 'processing' })]],
    ['unfinished-video', item('vid_x'), [aVideo('vid_x', { status: 'failed' })]],
    ['unfinished-video', item('vid_x'), [aVideo('vid_x', { sourceState: 'uploading', sourceKey: undefined })]],
    ['no-picture', item('vid_x'), [aVideo('vid_x', { media: { ...aVideo('vid_x').media, video: null } as never })]],
    ['bad-trim', item('vid_x', 0, durationMs + 1), [aVideo('vid_x')]],
    ['bad-trim', item('vid_x', 5_000, 5_050), [aVideo('vid_x')]],
    ['bad-trim', item('vid_x', 6_000, 5_000), [aVideo('vid_x')]],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...wrong),
      fc.array(goodItem, { minLength: 1, maxLength: 4 }),
      fc.nat(4),
      ([code, bad, more], good, place) => {
        const at = Math.min(place, good.length);
        const items = [...good.slice(0, at), bad, ...good.slice(at)];
        expect(codesOf(items, [...videos, ...more])).toEqual([`${code} body.videos[${at}]`]);
      },
    ),
  );
});

it('less than two videos, and one video more often than is reasonable, are refused', () => {
  expect(codesOf([], videos)).toEqual(['too-few body.videos']);
  expect(codesOf([item('vid_a')], videos)).toEqual(['too-few body.videos']);
  const often = Array.from({ length: mostCompositionRepeats }, () => item('vid_a'));
  expect(codesOf(often, videos)).toEqual([]);
  expect(codesOf([...often, item('vid_a')], videos)).toEqual(['repeated-video body.videos']);
  expect(
    codesOf(
      Array.from({ length: 101 }, (_, i) => item(`vid_${i}`)),
      Array.from({ length: 101 }, (_, i) => aVideo(`vid_${i}`)),
    ),
  ).toEqual(['too-many body.videos']);
});

it('a transition that is longer than what is left of an input is refused, and no other', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('fade' as const, 'crossfade' as const),
      fc.integer({ min: 100, max: 5_000 }),
      fc.array(fc.integer({ min: 100, max: 9_000 }), { minLength: 2, maxLength: 5 }),
      (kind, transitionMs, lengths) => {
        const ids = ['vid_a', 'vid_b', 'vid_c', 'vid_a', 'vid_b'];
        const items = lengths.map((length, i) => item(ids[i] ?? '', 0, length));
        const each = kind === 'crossfade' ? transitionMs : transitionMs / 2;
        const expected = lengths.flatMap((length, i) =>
          length < each * (i === 0 || i === lengths.length - 1 ? 1 : 2)
            ? [`transition-too-long body.videos[${i}]`]
            : [],
        );
        expect(codesOf(items, videos, { kind, durationMs: transitionMs })).toEqual(expected);
      },
    ),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseStoryboard, tileAt } from './storyboard.ts';

const base = 'https://example.org/vod/play_1/h.p.s/storyboard.vtt';
const clock = (ms: number) => {
  const pad = (value: number, length = 2) => String(Math.floor(value)).padStart(length, '0');
  return `${pad(ms / 3_600_000)}:${pad((ms / 60_000) % 60)}:${pad((ms / 1_000) % 60)}.${pad(ms % 1_000, 3)}`;
};

it('every moment of a video has the picture of its cue', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1_000, max: 200_000 }), (count, everyMs) => {
      const cues = Array.from({ length: count }, (_, i) => {
        const [column, row] = [i % 5, Math.floor(i / 5) % 5];
        const place = `ast_1/storyboard-${Math.floor(i / 25)}.jpg#xywh=${column * 160},${row * 90},160,90`;
        return `${clock(i * everyMs)} --> ${clock((i + 1) * everyMs)}\n${place}\n`;
      });
      const tiles = parseStoryboard(`WEBVTT\n\n${cues.join('\n')}`, base);
      expect(tiles).toHaveLength(count);
      tiles.forEach((tile, i) => {
        expect(tileAt(tiles, ((i + 0.5) * everyMs) / 1_000)).toBe(tile);
        expect(tile.url).toBe(`https://example.org/vod/play_1/h.p.s/ast_1/storyboard-${Math.floor(i / 25)}.jpg`);
      });
      expect(tileAt(tiles, -1)).toBe(tiles[0]);
      expect(tileAt(tiles, 1e9)).toBe(tiles.at(-1));
    }),
    { numRuns: 50 },
  );
});

it('what is no part of a picture of ours is left out, and nothing breaks it', () => {
  const bad = [
    '00:00.000 --> 00:05.000\nhttps://elsewhere.example/a.jpg#xywh=0,0,160,90',
    '00:00.000 --> 00:05.000\na.jpg',
    '00:05.000 --> 00:05.000\na.jpg#xywh=0,0,160,90',
    '00:00.000 --> 00:05.000\na.jpg#xywh=0,0,0,90',
    'soon --> later\na.jpg#xywh=0,0,160,90',
  ];
  const good = '00:05.000 --> 00:10.000\na.jpg#xywh=160,0,160,90';
  expect(parseStoryboard(`WEBVTT\r\n\r\n${[...bad, good].join('\n\n')}`, base)).toHaveLength(1);
  expect(tileAt([], 3)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => parseStoryboard(text, base).length >= 0));
});

import { expect, test } from 'vitest';
import { mediaPlaylistsOf, nextPosition } from './media-position.ts';

const playlist = `#EXTM3U
#EXT-X-PART-INF:PART-TARGET=0.2
#EXT-X-MEDIA-SEQUENCE:7
#EXTINF:2.0,
a.m4s
#EXT-X-PART:DURATION=0.2,URI="b0.m4s"
#EXT-X-PART:DURATION=0.2,URI="b1.m4s"
#EXTINF:0.4,
b.m4s
`;

test('after a whole segment the next part is the first of the next one', () => {
  expect(nextPosition(playlist)).toEqual({ msn: 9, part: 0 });
});

test('parts after the last segment belong to the next one', () => {
  expect(nextPosition(`${playlist}#EXT-X-PART:DURATION=0.2,URI="c0.m4s"\n`)).toEqual({ msn: 9, part: 1 });
});

test('a multivariant playlist leads to its variants and its separate audio', () => {
  const text =
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="s/audio.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\ns/video.m3u8\n';
  expect(mediaPlaylistsOf(text, 'http://h/live/p/index.m3u8')).toEqual([
    'http://h/live/p/s/video.m3u8',
    'http://h/live/p/s/audio.m3u8',
  ]);
});

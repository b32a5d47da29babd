import { describe, expect, it } from 'vitest';
import { playlistMistakes, reloadMistakes } from './playlist-rules.ts';
import { nextPart, readMediaPlaylist } from './playlist-text.ts';

const part = (segment: number, index: number, more = '') =>
  `#EXT-X-PART:DURATION=0.200,URI="v${segment}.${index}.m4s"${more}`;
const good = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.648
#EXT-X-PART-INF:PART-TARGET=0.216
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
${part(7, 0, ',INDEPENDENT=YES')}
${part(7, 1)}
#EXTINF:0.400,
v7.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.400Z
${part(8, 0, ',INDEPENDENT=YES')}
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v8.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=8,LAST-PART=0
`;
const mistakesOf = (text: string) => playlistMistakes(readMediaPlaylist(text));

describe('the rules for playlists', () => {
  it('find nothing in a good one', () => {
    expect(mistakesOf(good)).toEqual([]);
    expect(nextPart(readMediaPlaylist(good))).toEqual({ msn: 8, part: 1 });
  });

  it.each([
    ['a part over its target', 'DURATION=0.200,URI="v7.1', 'DURATION=0.220,URI="v7.1', /part 7.1 lasts 0.22 s > 0.216/],
    ['a hold-back below three parts', '0.648', '0.5', /PART-HOLD-BACK/],
    ['a segment over its target', 'EXTINF:0.400', 'EXTINF:2.600', /lasts 2.6 s, the target is 2/],
    ['parts that are not their segment', 'EXTINF:0.400', 'EXTINF:0.500', /its parts 0.4 s/],
    ['a jump of the wall clock', '00.400Z', '01.000Z', /jumps by 600 ms/],
    ['a missing hint', '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v8.1.m4s"\n', '', /no preload hint/],
    ['a missing map', '#EXT-X-MAP:URI="init.mp4"\n', '', /no EXT-X-MAP/],
    [
      'a short part in the middle',
      'EXT-X-PART:DURATION=0.200,URI="v7.1.m4s"',
      'EXT-X-PART:DURATION=0.1,URI="v7.1.m4s"\n#EXT-X-PART:DURATION=0.1,URI="v7.2.m4s"',
      /below 85 %/,
    ],
  ])('find %s', (_name, from, to, mistake) => {
    expect(mistakesOf(good.replace(from, to)).join()).toMatch(mistake);
  });

  it.each([
    ['a changed part', 'URI="v8.0', 'URI="v8.9', /parts of segment 8 changed/],
    ['a changed target', 'TARGETDURATION:2', 'TARGETDURATION:4', /TARGETDURATION changed/],
    ['a lost segment', /#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.400Z\n.*\n/, '', /segment 8 went/],
    [
      'a part that was not hinted',
      '#EXT-X-PRELOAD',
      `${part(8, 2)}\n#EXT-X-PRELOAD`,
      /the hint was v8.1.m4s, the next part is v8.2/,
    ],
  ])('find %s between two reloads', (_name, from, to, mistake) => {
    const [before, after] = [readMediaPlaylist(good), readMediaPlaylist(good.replace(from, to))];
    expect(reloadMistakes(before, before)).toEqual([]);
    expect(reloadMistakes(before, after).join()).toMatch(mistake);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileUriBase } from '../core/vod-path.ts';
import { prefixUris } from './vod-texts.ts';

const asset = 'ast_01jd4000000000000000000000';
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}\.(m4s|mp4|vtt|m3u8)$/);
const line = fc.oneof(
  name.map((uri) => ({ text: uri, uri })),
  name.map((uri) => ({ text: `#EXT-X-MAP:URI="${uri}",BYTERANGE="10@0"`, uri })),
  fc
    .constantFrom('#EXTM3U', '#EXTINF:4.000,a title', '#EXT-X-ENDLIST', '', '#EXT-X-DATERANGE:ID="x,y"')
    .map((text) => ({ text, uri: undefined })),
);
const urisIn = (text: string, url: string) =>
  [...text.matchAll(/URI="([^"]+)"|^([^#\r\n].*)$/gm)].map((found) => new URL(found[1] ?? found[2] ?? '', url).href);

describe('a playlist under a session', () => {
  it('leads to the same files as without one, line by line, and says nothing else', () => {
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, ending) => {
        const text = lines.map((each) => each.text).join(ending);
        const plain = `http://x/vod/play_1/${asset}/video-720p/index.m3u8`;
        const session = `http://x/vod/play_1/s/ses_1/${asset}/video-720p/index.m3u8`;
        const base = fileUriBase(asset, 'video-720p/index.m3u8');
        const changed = prefixUris(text, (uri) => base + uri);
        expect(urisIn(changed, session)).toEqual(urisIn(text, plain));
        expect(urisIn(text, plain)).toHaveLength(lines.filter(({ uri }) => uri !== undefined).length);
        expect(changed.replaceAll(base, '')).toBe(text);
      }),
    );
  });

  it('leaves addresses alone that lead elsewhere', () => {
    const text = '#EXT-X-MEDIA:URI="https://cdn.example/a.m3u8"\n/absolute.m4s\nhttp://x/y.m4s';
    expect(prefixUris(text, () => 'changed')).toBe(text);
  });
});

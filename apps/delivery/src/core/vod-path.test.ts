import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileUriBase, parseVodPath, sessionUri } from './vod-path.ts';

const asset = 'ast_01jd4000000000000000000000';
const token = 'eyJhbGciOiJFZERTQSJ9.eyJhdWQiOiJwbGF5YmFjayJ9.c2lnbmF0dXJl';

describe('a path of a video', () => {
  it.each([
    ['/vod/play_1/index.m3u8', { kind: 'multivariant' }],
    ['/vod/play_1/index.mpd', { kind: 'presentation' }],
    ['/vod/play_1/poster.jpg', { kind: 'poster' }],
    ['/vod/play_1/storyboard.vtt', { kind: 'storyboard' }],
    ['/vod/play_1/video.mp4', { kind: 'file' }],
    ['/vod/play_1/cmcd', { kind: 'beacons' }],
    [
      `/vod/play_1/${asset}/video-720p/s0003-1.m4s`,
      { kind: 'asset-file', asset, path: 'video-720p/s0003-1.m4s', file: 'media', session: undefined },
    ],
    [
      `/vod/play_1/${asset}/subtitles-en-US.vtt`,
      { kind: 'asset-file', asset, path: 'subtitles-en-US.vtt', file: 'captions', session: undefined },
    ],
    [
      `/vod/play_1/s/ses_1-4f9tz1/${asset}/audio/index.m3u8`,
      { kind: 'asset-file', asset, path: 'audio/index.m3u8', file: 'playlist', session: 'ses_1-4f9tz1' },
    ],
  ] as const)('%s names what it says, with a token and without', (path, target) => {
    expect(parseVodPath(path)).toEqual({ playbackId: 'play_1', token: undefined, target });
    const withToken = path.replace('/play_1/', `/play_1/${token}/`);
    expect(parseVodPath(withToken)).toEqual({ playbackId: 'play_1', token, target });
  });

  it.each([
    '/vod/play_1',
    '/vod/play_1/',
    '/vod/play_1/constructor',
    '/vod/play_1/source',
    `/vod/play_1/${asset}`,
    `/vod/play_1/${asset}/`,
    `/vod/play_1/${asset}/../source.mp4`,
    `/vod/play_1/${asset}/video-720p/../../source.mp4`,
    `/vod/play_1/${asset}/video-720p/.hidden.m4s`,
    `/vod/play_1/${asset}/video-720p/a/b.m4s`,
    `/vod/play_1/${asset}/video-720p/s1.json`,
    `/vod/play_1/${asset}/%2e%2e/s1.m4s`,
    `/vod/play_1/${asset}\\..\\s1.m4s`,
    `/vod/play_1/s/ses_1/${asset}/video-720p/s1.m4s`,
    '/vod/play_1/source/video-720p/s1.m4s',
    `/vod/${'x'.repeat(65)}/index.m3u8`,
  ])('%s names nothing', (path) => {
    expect(parseVodPath(path)).toBeUndefined();
  });

  it('leads to no key but one below the folder of an asset, whatever is written into it', () => {
    const piece = fc.oneof(
      fc.constantFrom('.', '..', '', 's', asset, 'video-720p', 'index.m3u8', 's0000-1.m4s', '%2e%2e', 'a\\b', '\0'),
      fc.string({ maxLength: 12 }),
    );
    const key = new RegExp(
      `^ast_[0-9a-z]{26}/([a-z][A-Za-z0-9-]*/)?[A-Za-z0-9][A-Za-z0-9_-]*\\.(m3u8|m4s|mp4|vtt|jpg)$`,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        const parsed = parseVodPath(`/vod/play_1/${pieces.join('/')}`);
        if (parsed?.target.kind === 'asset-file') expect(`${parsed.target.asset}/${parsed.target.path}`).toMatch(key);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a media playlist under a session leads back to the files that all viewers share', () => {
    const folder = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}\.m4s$/);
    fc.assert(
      fc.property(folder, name, fc.constantFrom('', `${token}/`), (inFolder, file, given) => {
        const entry = `http://x/vod/play_1/${given}index.m3u8`;
        const playlist = new URL(sessionUri('ses_1', `${asset}/${inFolder}/index.m3u8`), entry);
        expect(parseVodPath(playlist.pathname)?.target).toMatchObject({ session: 'ses_1', file: 'playlist' });
        const media = new URL(`${fileUriBase(asset, `${inFolder}/index.m3u8`)}${file}`, playlist);
        expect(media.pathname).toBe(`/vod/play_1/${given}${asset}/${inFolder}/${file}`);
      }),
    );
  });
});

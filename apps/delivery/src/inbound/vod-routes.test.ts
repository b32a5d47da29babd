import { request as httpRequest, type RequestOptions } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { viewerSessionsTopic } from '@millrace/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openVideoKit, storeAsset, type VideoKit } from '../../test/video-kit.ts';

let kit: VideoKit;
beforeEach(async () => {
  kit = await openVideoKit();
});
afterEach(() => kit[Symbol.asyncDispose]());

const text = async (url: string) => (await fetch(url)).text();
/** URIs of a playlist, resolved. */
const urisOf = (url: string, playlist: string) =>
  [...playlist.matchAll(/URI="([^"]+)"|^([^#\s].*)$/gm)].map((found) => new URL(found[1] ?? found[2] ?? '', url).href);

describe('a processed video', () => {
  it('leads from the multivariant playlist to the bytes of every rendition, each file the same for all viewers', async () => {
    const { url } = await kit.video();
    const entry = `${url}/index.m3u8`;
    const [one, two] = [urisOf(entry, await text(entry)), urisOf(entry, await text(entry))];
    expect(one.every((uri, i) => uri !== two[i])).toBe(true);
    expect(one.map((uri) => uri.split('/').at(-2))).toEqual(['audio', 'subtitles-en', 'video-360p']);
    const playlists = await Promise.all([...one, ...two].map(async (uri) => urisOf(uri, await text(uri))));
    expect(playlists.slice(0, 3)).toEqual(playlists.slice(3));
    const [audio = [], captions = [], video = []] = playlists;
    expect([audio.length, captions.length, video.length]).toEqual([41, 1, 41]);
    expect(await text(audio[0] ?? '')).toBe('ftyp-audio');
    expect(await text(video[1] ?? '')).toBe('moof-video-360p-0123456789');
    expect(await text(captions[0] ?? '')).toContain('hello');
  });

  it('plays from the plain playlists of its asset too, as a DASH presentation leads to them', async () => {
    const { url, asset } = await kit.video();
    expect(await text(`${url}/index.mpd`)).toContain(`<BaseURL>${asset}/</BaseURL>`);
    expect(urisOf(`${url}/${asset}/audio/index.m3u8`, await text(`${url}/${asset}/audio/index.m3u8`))[1]).toBe(
      `${url}/${asset}/audio/s0000-0.m4s`,
    );
  });

  it('has a poster, a storyboard that finds its pictures, and types, caching and CORS that fit each file', async () => {
    const { url, asset } = await kit.video();
    const storyboard = `${url}/storyboard.vtt`;
    const picture = /^(\S+\.jpg)#/m.exec(await text(storyboard))?.[1] ?? '';
    expect(await text(new URL(picture, storyboard).href)).toBe('sprites');
    const rows = [
      ['index.m3u8', 'application/vnd.apple.mpegurl', 'no-store'],
      ['index.mpd', 'application/dash+xml', 'public, max-age=60'],
      ['poster.jpg', 'image/jpeg', 'public, max-age=60'],
      ['storyboard.vtt', 'text/vtt; charset=utf-8', 'public, max-age=60'],
      [`${asset}/video-360p/index.m3u8`, 'application/vnd.apple.mpegurl', 'public, max-age=60'],
      [`${asset}/video-360p/s0000-0.m4s`, 'video/mp4', 'public, max-age=31536000, immutable'],
      [`${asset}/audio/init.mp4`, 'audio/mp4', 'public, max-age=31536000, immutable'],
      [`${asset}/storyboard-0.jpg`, 'image/jpeg', 'public, max-age=60'],
    ];
    for (const [path, type, caching] of rows) {
      const { status, headers } = await fetch(`${url}/${path}`);
      expect([path, status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
        path,
        200,
        type,
        caching,
      ]);
      expect(headers.get('access-control-allow-origin')).toBe('*');
    }
    const preflight = await fetch(`${url}/index.m3u8`, { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD, OPTIONS',
    ]);
  });

  it('says its title to whoever may play it, before it can be played too', async () => {
    const { url } = await kit.video({ title: 'Ein “Film”', asset: null, complete: false, duration_ms: null });
    const about = await fetch(`${url}/about.json`);
    expect(about.headers.get('cache-control')).toBe('public, max-age=60');
    expect(await about.json()).toEqual({ title: 'Ein “Film”', duration_ms: null, playable: false });
    const hidden = await kit.video({ visibility: 'private', title: 'Secret' });
    for (const path of ['about.json', 'storyboard.vtt', `${hidden.asset}/storyboard-0.jpg`]) {
      const refused = await fetch(`${hidden.url}/${path}`);
      expect([path, refused.status, (await refused.text()).includes('Secret')]).toEqual([path, 403, false]);
    }
    const open = `${hidden.url}/${await kit.token(hidden.playbackId)}`;
    const shown = await fetch(`${open}/about.json`);
    expect(shown.headers.get('cache-control')).toBe('private, max-age=60');
    expect(await shown.json()).toEqual({ title: 'Secret', duration_ms: 160_000, playable: true });
    const storyboard = await text(`${open}/storyboard.vtt`);
    const picture = /^(\S+\.jpg)#/m.exec(storyboard)?.[1] ?? '';
    expect(await text(new URL(picture, `${open}/storyboard.vtt`).href)).toBe('sprites');
  });

  it('has one MP4 to download, once it has', async () => {
    const { url, ...video } = await kit.video();
    expect((await fetch(`${url}/video.mp4`)).status).toBe(404);
    await kit.store.put(`videos/${video.videoId}/download.mp4`, [Buffer.from('a whole video')]);
    await kit.video({
      video_id: video.videoId,
      playback_id: video.playbackId,
      file: `videos/${video.videoId}/download.mp4`,
    });
    expect(await text(`${url}/video.mp4`)).toBe('a whole video');
  });

  it('answers ranges, HEAD and conditions as RFC 9110 has them', async () => {
    const { url, asset } = await kit.video();
    const file = `${url}/${asset}/video-360p/s0000-0.m4s`; // 26 bytes
    const get = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await fetch(file, { method, headers });
      return [answer.status, answer.headers.get('content-range'), await answer.text()];
    };
    const etag = (await fetch(file)).headers.get('etag') ?? '';
    expect(await get({ range: 'bytes=0-3' })).toEqual([206, 'bytes 0-3/26', 'moof']);
    expect(await get({ range: 'bytes=20-' })).toEqual([206, 'bytes 20-25/26', '456789']);
    expect(await get({ range: 'bytes=20-999' })).toEqual([206, 'bytes 20-25/26', '456789']);
    expect(await get({ range: 'bytes=-2' })).toEqual([206, 'bytes 24-25/26', '89']);
    expect((await get({ range: 'bytes=26-' })).slice(0, 2)).toEqual([416, 'bytes */26']);
    expect((await get({ range: 'bytes=-0' })).slice(0, 2)).toEqual([416, 'bytes */26']);
    expect((await get({ range: 'bytes=3-1' }))[0]).toBe(200);
    expect((await get({ range: 'bytes=0-1,4-5' }))[0]).toBe(200);
    expect((await get({ range: 'bytes=0-3', 'if-range': etag }))[0]).toBe(206);
    expect((await get({ range: 'bytes=0-3', 'if-range': '"other"' }))[0]).toBe(200);
    expect(await get({ 'if-none-match': `"x", ${etag}` })).toEqual([304, null, '']);
    const head = await fetch(file, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '26', '']);
    expect((await fetch(file, { method: 'POST' })).status).toBe(405);
  });

  it('gzips playlists for those who take it, reads them once for many, and knows them again by their ETag', async () => {
    const { url, asset } = await kit.video();
    const playlist = `${url}/${asset}/video-360p/index.m3u8`;
    const plain = await raw(playlist, {});
    const zipped = await raw(playlist, { 'accept-encoding': 'gzip' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).toString()).toBe(plain.body.toString());
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
    expect((await raw(playlist, { 'if-none-match': String(plain.headers['etag']) })).status).toBe(304);
    await Promise.all(Array.from({ length: 20 }, () => fetch(playlist)));
    expect(await kit.metric('millrace_delivery_video_texts_total', { outcome: 'read' })).toBe(1);
  });
});

describe('a video that changes', () => {
  it('whose playlists grow during its first run shows the new ones within a second', async () => {
    const { url, asset, videoId } = await kit.video({ complete: false });
    const playlist = `${url}/${asset}/audio/index.m3u8`;
    const first = await fetch(playlist);
    expect(first.headers.get('cache-control')).toBe('public, max-age=1');
    await kit.store.put(`videos/${videoId}/${asset}/audio/index.m3u8`, [Buffer.from('#EXTM3U\n')]);
    await kit.clock.advance(1_000);
    expect(await text(playlist)).toBe('#EXTM3U\n');
  });

  it('lets viewers go on with the asset that a new run replaced, for ten minutes, and with no other', async () => {
    const { url, asset, videoId, playbackId } = await kit.video();
    const { asset: next } = await kit.video({ video_id: videoId, playback_id: playbackId });
    expect(await text(`${url}/index.m3u8`)).toContain(next);
    const status = async (of: string) => (await fetch(`${url}/${of}/audio/init.mp4`)).status;
    await storeAsset(kit, `videos/${videoId}/ast_01jd4000000000000000000000`);
    expect([await status(next), await status(asset), await status('ast_01jd4000000000000000000000')]).toEqual([
      200, 200, 404,
    ]);
    await kit.clock.advance(11 * 60_000);
    expect([await status(next), await status(asset)]).toEqual([200, 404]);
  });

  it('is gone with its files the moment it is deleted', async () => {
    const video = await kit.video();
    await kit.remove(video);
    for (const path of ['index.m3u8', 'poster.jpg', `${video.asset}/audio/init.mp4`]) {
      const answer = await fetch(`${video.url}/${path}`);
      expect([answer.status, await answer.json()]).toMatchObject([404, { type: '/problems/not-found' }]);
    }
    expect(await kit.metric('millrace_delivery_video_refusals_total', { reason: 'unknown-video' })).toBe(3);
  });

  it('that was never processed says so', async () => {
    const { url } = await kit.video({ asset: null, complete: false, status: 'pending' });
    const answer = await fetch(`${url}/index.m3u8`);
    expect([answer.status, await answer.json()]).toMatchObject([404, { type: '/problems/not-processed' }]);
  });
});

describe('a private video', () => {
  it('plays with its own token in the path, which all its URIs keep, and without it shows nothing at all', async () => {
    const { url, asset, playbackId } = await kit.video({ visibility: 'private' });
    const { playbackId: other } = await kit.video({ visibility: 'private' });
    const own = await kit.token(playbackId);
    const entry = `${url}/${own}/index.m3u8`;
    const [playlist = ''] = urisOf(entry, await text(entry));
    const [init = ''] = urisOf(playlist, await text(playlist));
    expect(init).toBe(`${url}/${own}/${asset}/audio/init.mp4`);
    expect((await fetch(init)).headers.get('cache-control')).toBe('private, max-age=3600, immutable');
    for (const token of ['', 'a.b.c/', `${await kit.token(other)}/`]) {
      for (const path of ['index.m3u8', 'poster.jpg', `${asset}/audio/init.mp4`]) {
        expect((await fetch(`${url}/${token}${path}`)).status).toBe(403);
      }
    }
  });

  it('that was public a moment ago needs a token from then on', async () => {
    const { url, videoId, playbackId } = await kit.video();
    expect((await fetch(`${url}/index.m3u8`)).status).toBe(200);
    await kit.video({ video_id: videoId, playback_id: playbackId, visibility: 'private' });
    expect((await fetch(`${url}/index.m3u8`)).status).toBe(403);
  });
});

describe('what is refused', () => {
  it('is turned away at once, and counted, when too many files are read', async () => {
    await kit[Symbol.asyncDispose]();
    kit = await openVideoKit({ DELIVERY_MAX_VIDEO_READS: '1' });
    const { url, asset } = await kit.video();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const get = kit.store.get.bind(kit.store);
    kit.store.get = async (key, range) => {
      if (key.endsWith('init.mp4')) await held;
      return get(key, range);
    };
    const first = fetch(`${url}/${asset}/audio/init.mp4`);
    while ((await kit.metric('millrace_delivery_video_reads_running')) === 0) await new Promise(setImmediate);
    for (const path of [`${asset}/audio/s0000-0.m4s`, 'index.m3u8']) {
      const answer = await fetch(`${url}/${path}`);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    }
    release();
    expect((await first).status).toBe(200);
    expect((await fetch(`${url}/${asset}/audio/s0000-0.m4s`)).status).toBe(200);
    expect(await kit.metric('millrace_delivery_video_refusals_total', { reason: 'too-busy' })).toBe(2);
  });

  it.each(['../../etc/passwd', '..%2f..%2fsource', 'source', 'ast_x/y.m4s', ''])('the path %j', async (path) => {
    const { playbackId, videoId } = await kit.video();
    await kit.store.put(`videos/${videoId}/source`, [Buffer.from('the original')]);
    const answer = await rawPath(`/vod/${playbackId}/${path}`);
    expect(answer.status).toBe(404);
  });
});

describe('who watches a video', () => {
  const joins = async () => {
    const found: string[] = [];
    const follower = await kit.eventLog.follow({
      topic: viewerSessionsTopic,
      from: 'earliest',
      onRecord: ({ value }) => void found.push(`${value?.type} ${value?.stream_id}`),
    });
    for (let i = 0; i < 200; i++) await new Promise(setImmediate);
    await follower[Symbol.asyncDispose]();
    return found;
  };
  const viewers = () => kit.metric('millrace_delivery_audience_viewers');

  it('is one viewer from his first media playlist on, stays one by the files he fetches, and has left 75 s after the last', async () => {
    const { url, asset, videoId } = await kit.video();
    const entry = `${url}/index.m3u8`;
    for (const uri of urisOf(entry, await text(entry))) await text(uri);
    expect(await viewers()).toBe(1);
    for (let i = 0; i < 4; i++) {
      await kit.clock.advance(60_000);
      await text(`${url}/${asset}/video-360p/s0000-0.m4s`);
    }
    expect(await viewers()).toBe(1);
    await kit.clock.advance(80_000);
    expect(await viewers()).toBe(0);
    expect(await joins()).toEqual([`ViewerJoined ${videoId}`, `ViewerLeft ${videoId}`]);
  });

  it('is one viewer with a DASH presentation too, from its first file on', async () => {
    const { url, asset } = await kit.video();
    await text(`${url}/index.mpd`);
    expect(await viewers()).toBe(0);
    await text(`${url}/${asset}/video-360p/init.mp4`);
    await text(`${url}/${asset}/audio/init.mp4`);
    expect(await viewers()).toBe(1);
  });

  it('tells by his reports that he has gone', async () => {
    const { url } = await kit.video();
    const post = (body: string) =>
      fetch(`${url}/cmcd`, { method: 'POST', headers: { 'content-type': 'application/cmcd' }, body });
    await text(`${url}/index.m3u8`);
    expect((await post('e=ps,sta=p,sid="a",ts=1,v=2')).status).toBe(204);
    expect(await viewers()).toBe(1);
    expect((await post('e=ps,sta=q,sid="a",ts=2,v=2')).status).toBe(204);
    expect(await viewers()).toBe(0);
  });
});

/** fetch hides how a body was encoded, and straightens paths. */
function raw(url: string, headers: Record<string, string>): Promise<RawAnswer> {
  return ask({ headers, ...pick(new URL(url)) });
}
function rawPath(path: string): Promise<RawAnswer> {
  return ask({ path, port: kit.http.port, hostname: '127.0.0.1' });
}
const pick = ({ hostname, port, pathname }: URL) => ({ hostname, port: Number(port), path: pathname });
interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
function ask(options: RequestOptions): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(options, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }),
      );
    });
    request.once('error', reject).end();
  });
}

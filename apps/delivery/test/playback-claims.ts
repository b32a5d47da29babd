import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { checkMediaPlaylist, readMediaPlaylist } from '@millrace/hls/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryKit } from './delivery-kit.ts';
import { playedBroadcast } from './played-broadcast.ts';
import { urisOf } from './player.ts';
import { SyntheticBroadcast, type SyntheticOptions, spec } from './synthetic-broadcast.ts';

/** What holds for players of whatever `openKit` opens: an origin, or an edge in front of one. Two test files register it. */
export function describePlayback(openKit: (env?: Record<string, string>) => Promise<DeliveryKit>): void {
  let kit: DeliveryKit;
  beforeEach(async () => {
    kit = await openKit();
  });
  afterEach(() => kit[Symbol.asyncDispose]());

  const broadcast = (parts?: number, options?: Partial<SyntheticOptions>) => playedBroadcast(kit, parts, options);

  /** Waits until the service holds `count` requests. */
  async function untilHeld(count: number): Promise<void> {
    for (let i = 0; i < 2_000; i++) {
      if ((await kit.metric('millrace_delivery_waiting_requests')) === count) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`expected ${count} held requests`);
  }

  /** Sends raw bytes on one connection and gives back everything that comes within `until`. */
  function exchange(text: string, until: (received: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      let received = '';
      const socket = connect(kit.http.port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
        if (!until(received)) return;
        socket.destroy();
        resolve(received);
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(received));
    });
  }

  describe('playback', () => {
    it('leads from the multivariant playlist to the bytes of every part, segment and init section', async () => {
      const { player } = await broadcast();
      for (const rendition of ['video', 'audio']) {
        const { url, text, response } = await player.playlist(rendition);
        expect(response.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
        expect(checkMediaPlaylist(text)).toEqual([]);
        const uris = urisOf(url, text);
        expect([uris.segments.length, uris.parts.length]).toEqual([2, 25]);
        const parts = await Promise.all(uris.parts.map(async (uri) => (await fetch(uri)).text()));
        const segment = await fetch(uris.segments[0] ?? '');
        expect(await segment.text()).toBe(parts.slice(0, 10).join(''));
        expect(segment.headers.get('content-type')).toBe(`${rendition}/mp4`);
        expect(segment.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        expect(segment.headers.get('access-control-allow-origin')).toBe('*');
        expect(await (await fetch(uris.inits[0] ?? '')).text()).toContain(`ftypmoov-${rendition}`);
      }
    });

    it('mints a session for each viewer, whose media are the same files', async () => {
      const { player } = await broadcast();
      const [one, two] = await Promise.all([player.playlist('video'), player.playlist('video')]);
      expect(one.url).not.toBe(two.url);
      expect(one.text).toBe(two.text);
      expect(urisOf(one.url, one.text)).toEqual(urisOf(two.url, two.text));
      expect(await kit.metric('millrace_delivery_sessions_minted_total')).toBe(2);
      const multivariant = await fetch(player.entry);
      expect(multivariant.headers.get('cache-control')).toBe('no-store');
    });

    it('declares the measured bit rates and the format of both tracks', async () => {
      const { player, live } = await broadcast(0, { partBytes: 50_000 });
      expect(await (await fetch(player.entry)).text()).toMatch(/BANDWIDTH=\d{7},AVERAGE-BANDWIDTH=\d{7}/);
      await live.parts(30);
      await kit.clock.advance(1_000); // an edge believes what it knows of a stream for a second
      const text = await (await fetch(player.entry)).text();
      // 250 kB/s for each of the two renditions: 4 Mbit/s, and a tenth of room in the peak
      expect(text).toContain('BANDWIDTH=4400000,AVERAGE-BANDWIDTH=4000000');
      expect(text).toContain('CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30,AUDIO="audio"');
    });

    it('of an audio-only stream needs no video', async () => {
      const { player } = await broadcast(25, { renditions: [spec('audio')] });
      const text = await (await fetch(player.entry)).text();
      expect(text).toContain('#EXT-X-INDEPENDENT-SEGMENTS');
      expect(text).not.toContain('EXT-X-MEDIA:');
      expect(checkMediaPlaylist((await player.playlist('audio')).text)).toEqual([]);
    });

    it('gzips playlists for those who take it, from one rendering for all', async () => {
      const { player } = await broadcast();
      const url = (await player.renditions())['video'] ?? '';
      const path = new URL(url).pathname;
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`;
      const answer = await exchange(request, () => false);
      const body = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
      expect(answer).toContain('Content-Encoding: gzip');
      expect(gunzipSync(body).toString()).toBe((await player.playlist('video')).text);
      await Promise.all(Array.from({ length: 20 }, () => fetch(url)));
      expect(await kit.metric('millrace_delivery_playlist_renders_total', { encoding: 'plain' })).toBe(1);
      expect(await kit.metric('millrace_delivery_playlist_renders_total', { encoding: 'gzip' })).toBe(1);
    });

    it('answers a preflight for any origin, with ranges and CMCD headers allowed', async () => {
      const response = await fetch(`${kit.origin}/live/whatever/index.m3u8`, { method: 'OPTIONS' });
      expect([response.status, response.headers.get('access-control-allow-methods')]).toEqual([
        204,
        'GET, HEAD, OPTIONS',
      ]);
      expect(response.headers.get('access-control-allow-headers')).toContain('Range, CMCD-Object');
    });

    it('refuses what is unknown, with a short-lived 404, and other methods', async () => {
      const { player, playbackId } = await broadcast();
      const { url, text } = await player.playlist('video');
      const part = urisOf(url, text).parts[0] ?? '';
      const unknown = [
        player.entry.replace(playbackId, 'play_none'),
        url.replace('/video/', '/other/'),
        part.replace(/\.\d+\.m4s/, '.77.m4s'),
        part.replace(/-\d+\./, '-999.'),
        part.replace(/video\/[a-z0-9]+/, 'video/abcdefgh'),
        `${kit.origin}/live/${playbackId}/video/../../etc/passwd`,
      ];
      for (const uri of unknown) {
        const response = await fetch(uri);
        expect([uri, response.status]).toEqual([uri, 404]);
        if (uri.includes('/live/')) expect(response.headers.get('cache-control')).toBe('max-age=1');
      }
      expect((await fetch(part, { method: 'POST' })).status).toBe(405);
    });

    it('serves ranges of media, and says 416 with the size when there is nothing there', async () => {
      const { player } = await broadcast();
      const { url, text } = await player.playlist('video');
      const segment = urisOf(url, text).segments[0] ?? '';
      const whole = await (await fetch(segment)).text();
      const ranged = async (range: string) => {
        const response = await fetch(segment, { headers: { range } });
        return [response.status, response.headers.get('content-range'), await response.text()];
      };
      expect(await ranged('bytes=5-99')).toEqual([206, `bytes 5-99/${whole.length}`, whole.slice(5, 100)]);
      expect(await ranged('bytes=-7')).toEqual([
        206,
        `bytes ${whole.length - 7}-${whole.length - 1}/${whole.length}`,
        whole.slice(-7),
      ]);
      expect((await ranged('bytes=630-'))[2]).toBe(whole.slice(630));
      expect((await ranged(`bytes=${whole.length}-`)).slice(0, 2)).toEqual([416, `bytes */${whole.length}`]);
      expect((await ranged('bytes=0-1,4-5'))[0]).toBe(200);
    });
  });

  describe('a stream without a broadcast', () => {
    it('answers 404 with the reason, which no cache keeps', async () => {
      const { playbackId } = await kit.define();
      const response = await fetch(`${kit.origin}/live/${playbackId}/index.m3u8`);
      expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store']);
      expect(await response.json()).toMatchObject({ type: '/problems/not-live', status: 404 });
    });

    it('that was live lets players finish and sends new ones away', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      await live.end();
      const ended = await (await fetch(`${url}?_HLS_msn=999999999&_HLS_part=9`)).text();
      expect(readMediaPlaylist(ended).ended).toBe(true);
      await kit.clock.advance(1_000);
      expect(await (await fetch(player.entry)).json()).toMatchObject({ type: '/problems/ended' });
      await kit.clock.advance(121_000);
      expect((await fetch(url)).status).toBe(404);
    });
  });

  describe('a blocking reload', () => {
    it('is answered with the next part as soon as it is written, and the part is there', async () => {
      const { player, live } = await broadcast();
      const { url, text } = await player.playlist('video');
      const hint = urisOf(url, text).hint ?? '';
      const { segment, part } = live.next('video');
      const waiting = [fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`), fetch(hint)];
      await untilHeld(2);
      await live.part('video');
      const [playlist, media] = await Promise.all(waiting);
      const after = await playlist?.text();
      expect(checkMediaPlaylist(after ?? '', text)).toEqual([]);
      expect(urisOf(url, after ?? '').parts.at(-1)).toBe(hint);
      expect(await media?.text()).toContain(`video ${segment}.${part} `);
      expect(await kit.metric('millrace_delivery_waits_total', { outcome: 'ready' })).toBe(2);
    });

    it('that cannot be is refused with 400', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment } = live.next('video');
      for (const query of [
        '_HLS_part=1',
        `_HLS_msn=${segment + 2}`,
        `_HLS_msn=${segment}&_HLS_part=99`,
        '_HLS_msn=a',
      ]) {
        const response = await fetch(`${url}?${query}`);
        expect([query, response.status]).toEqual([query, 400]);
      }
    });

    it('gives up with 503 after three target durations', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
      await untilHeld(1);
      await kit.clock.advance(5_900);
      expect(await kit.metric('millrace_delivery_waiting_requests')).toBe(1);
      await kit.clock.advance(400);
      const response = await waiting;
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    });

    it('ends when the client goes', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const leaving = new AbortController();
      const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`, { signal: leaving.signal });
      await untilHeld(1);
      leaving.abort();
      await expect(waiting).rejects.toThrow();
      await untilHeld(0);
      expect(await kit.metric('millrace_delivery_waits_total', { outcome: 'client-left' })).toBe(1);
    });

    it('gives a delta update to who asks for one', async () => {
      const { player, live } = await broadcast(95);
      const { url, text } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const delta = await (await fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part - 1}&_HLS_skip=YES`)).text();
      expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=');
      expect(checkMediaPlaylist(delta, text)).toEqual([]);
      expect(delta.length).toBeLessThan(text.length);
    });

    it('is kept by caches when it names a part, and not when it asks for the newest', async () => {
      const { player, live } = await broadcast();
      const { url, response } = await player.playlist('video');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      const { segment } = live.next('video');
      const named = await fetch(`${url}?_HLS_msn=${segment}&_HLS_part=0`);
      expect(named.headers.get('cache-control')).toBe('public, max-age=12');
    });

    it('is answered by the end of the broadcast, and by its drain', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
      await untilHeld(1);
      await live.end();
      expect(await (await waiting).text()).toContain('#EXT-X-ENDLIST');
    });

    it('is answered 503 when the service drains', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
      await untilHeld(1);
      await kit.service[Symbol.asyncDispose]();
      const response = await waiting;
      expect([response.status, response.headers.get('connection')]).toEqual([503, 'close']);
    });

    it('one more than may wait gets 503', async () => {
      await kit[Symbol.asyncDispose]();
      kit = await openKit({ DELIVERY_MAX_WAITING: '2' });
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const waiting = [1, 2].map(() => fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`));
      await untilHeld(2);
      expect((await fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`)).status).toBe(503);
      await live.part('video');
      expect((await Promise.all(waiting)).map((response) => response.status)).toEqual([200, 200]);
    });
  });

  describe('the start of a broadcast', () => {
    it('holds the first playlist until it has a segment', async () => {
      const { player, live } = await broadcast(0);
      const waiting = player.playlist('video');
      await untilHeld(1);
      await live.parts(9);
      await untilHeld(1);
      await live.parts(1);
      const { text } = await waiting;
      expect(readMediaPlaylist(text).segments[0]?.uri).toBeDefined();
    });
  });

  describe('a segment that is being written', () => {
    it('is held until it is whole', async () => {
      const { player, live } = await broadcast(25);
      const { url, text } = await player.playlist('video');
      const { segment } = live.next('video');
      const uri = (urisOf(url, text).segments[0] ?? '').replace(/-\d+\.m4s/, `-${segment}.m4s`);
      const waiting = fetch(uri);
      await untilHeld(1);
      await live.parts(5);
      expect((await (await waiting).text()).match(/video/g)).toHaveLength(10);
    });

    it('a hint whose segment closes early is answered 404', async () => {
      const { streamId, player, live } = await broadcast(25);
      const { url, text } = await player.playlist('video');
      const waiting = fetch(urisOf(url, text).hint ?? '');
      await untilHeld(1);
      const successor = new SyntheticBroadcast(kit.service.writer, { streamId, epoch: 2, publishId: 'pub_2' });
      await successor.start();
      expect((await waiting).status).toBe(404);
      expect(live.next('video')).toEqual({ segment: expect.any(Number), part: 5 });
    });
  });

  describe('one connection', () => {
    it('carries pipelined requests in order, HEAD without a body among them', async () => {
      const { player } = await broadcast();
      const { url, text } = await player.playlist('video');
      const part = new URL(urisOf(url, text).parts[0] ?? '').pathname;
      const playlist = new URL(url).pathname;
      const head = (method: string, path: string, extra = '') =>
        `${method} ${path} HTTP/1.1\r\nHost: x\r\n${extra}\r\n`;
      const requests = [
        head('GET', playlist),
        head('HEAD', part),
        head('GET', part),
        head('GET', '/live/nothing/index.m3u8'),
        head('GET', part, 'Connection: close\r\n'),
      ];
      const answer = await exchange(requests.join(''), () => false);
      const answers = answer.split(/(?=HTTP\/1\.1 \d{3} )/);
      expect(answers.map((one) => one.slice(9, 12))).toEqual(['200', '200', '200', '404', '200']);
      const lengths = answers.map((one) => Number(/content-length: (\d+)/i.exec(one)?.[1]));
      const bodies = answers.map((one) => one.length - one.indexOf('\r\n\r\n') - 4);
      expect(bodies).toEqual([lengths[0], 0, lengths[2], lengths[3], lengths[4]]);
      expect(lengths[1]).toBe(lengths[2]);
      expect(answers.every((one) => /^date: /im.test(one))).toBe(true);
    });

    it('of HTTP/1.0 gets its answer and is closed', async () => {
      const { player } = await broadcast();
      const { url } = await player.playlist('video');
      const answer = await exchange(`GET ${new URL(url).pathname} HTTP/1.0\r\n\r\n`, () => false);
      expect(answer).toContain('#EXT-X-PRELOAD-HINT');
    });

    it('may wait for a part and go on with the next request after it', async () => {
      const { player, live } = await broadcast();
      const { url } = await player.playlist('video');
      const { segment, part } = live.next('video');
      const path = new URL(url).pathname;
      const both = `GET ${path}?_HLS_msn=${segment}&_HLS_part=${part} HTTP/1.1\r\nHost: x\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      const waiting = exchange(both, (received) => (received.match(/RENDITION-REPORT:[^\n]*\n/g) ?? []).length === 2);
      await untilHeld(1);
      await live.part('video');
      expect((await waiting).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    });
  });
}

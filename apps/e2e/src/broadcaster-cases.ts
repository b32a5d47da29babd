/** What a broadcaster may count on, on whatever the product runs: cases for a describe block with a server of its own. */
import { expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { ListedSegment } from './playlist-text.ts';
import { pushWithFfmpeg } from './publishers.ts';
import type { RestClient, TestStream } from './rest-client.ts';
import { decodeWithFfmpeg } from './second-player.ts';
import { type FollowedRendition, followStream } from './stream-follower.ts';
import type { Target } from './target.ts';

/** For the server's INGEST_RECONNECT_WINDOW_MS. */
export const reconnectWindowMs = 4_000;
/** Longest wait for playlists to go on, ms: on a busy machine encoders start and run slowly. */
const listedWithinMs = 20_000;

/** Every segment that any playlist has listed, as the last one did: a slow machine may list and drop one between two assertions. */
function everListed({ playlists }: FollowedRendition): readonly ListedSegment[] {
  return [...new Map(playlists.flatMap(({ segments }) => segments.map((one) => [one.number, one]))).values()];
}

/** Declares the cases; `server` and `api` are asked when they run. */
export function broadcasterCases(server: () => Target, api: () => RestClient): void {
  const video = { size: '320x180', fps: 30, gopS: 1 };
  const push = (stream: Pick<TestStream, 'key'>, change: Partial<typeof video> = {}) =>
    pushWithFfmpeg({ url: server().publishUrl(stream), video: { ...video, ...change } });

  it.concurrent('takes over with the same key at once, also with another resolution: one discontinuity, no gap', async () => {
    const stream = await api().createStream('Take-over');
    await using first = push(stream);
    await using followed = await followStream(server().hlsUrl(stream));
    const rendition = followed.rendition('video');
    const both = ['video', 'audio'].map((name) => followed.rendition(name));
    await eventually(() => everListed(rendition).length > 3, 'the first encoder is listed', listedWithinMs);
    await using second = push(stream, { size: '480x270' });
    await eventually(() => !first.running, 'the first encoder is disconnected');
    await eventually(
      () => both.every((one) => everListed(one).some(({ discontinuity }) => discontinuity)),
      'a discontinuity in both renditions',
      listedWithinMs,
    );
    const before = everListed(rendition).length;
    await eventually(() => everListed(rendition).length > before + 3, 'the second encoder is listed', listedWithinMs);
    await followed.stop();
    expect(second.running).toBe(true);
    expect(followed.mistakes()).toEqual([]);
    const [video = [], audio = []] = both.map((one) => everListed(one));
    for (const segments of [video, audio]) {
      expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(1);
      expect(segments.filter(({ gap }) => gap)).toEqual([]);
    }
    expect(new Set(video.map(({ map }) => map)).size).toBe(2);
    expect(await api().stateOf(stream)).toBe('live');
  });

  it.concurrent('comes back within the window: viewers stay in the same playlist', async () => {
    const stream = await api().createStream('Reconnect');
    const first = push(stream);
    await using followed = await followStream(server().hlsUrl(stream));
    const rendition = followed.rendition('video');
    await eventually(() => everListed(rendition).length > 2, 'the stream is listed', listedWithinMs);
    await first[Symbol.asyncDispose]();
    await eventually(async () => (await api().stateOf(stream)) === 'interrupted', 'the state is interrupted', 5_000);
    await using second = push(stream);
    await eventually(async () => (await api().stateOf(stream)) === 'live', 'the state is live', 5_000);
    const before = everListed(rendition).length;
    await eventually(() => everListed(rendition).length > before + 3, 'the stream goes on', listedWithinMs);
    await followed.stop();
    expect(second.running).toBe(true);
    expect(rendition.playlists.some(({ ended }) => ended)).toBe(false);
    expect(followed.mistakes()).toEqual([]);
  });

  it.concurrent('who vanishes ends the stream: ENDLIST soon after the window', async () => {
    const stream = await api().createStream('Vanished');
    await using encoder = push(stream);
    await using followed = await followStream(server().hlsUrl(stream));
    const rendition = followed.rendition('video');
    await eventually(() => everListed(rendition).length > 2, 'the stream is listed', listedWithinMs);
    await encoder.stop('SIGKILL');
    const stoppedMs = performance.now();
    await eventually(() => rendition.playlists.at(-1)?.ended === true, 'the list ends', reconnectWindowMs + 5_000);
    const tookMs = performance.now() - stoppedMs;
    console.log(`ENDLIST ${Math.round(tookMs)} ms after the encoder vanished (window ${reconnectWindowMs} ms)`);
    expect(tookMs).toBeGreaterThan(reconnectWindowMs - 1_000);
    expect(tookMs).toBeLessThan(reconnectWindowMs + 4_000);
    expect(followed.mistakes()).toEqual([]);
  });

  it.concurrent('who stops ends the stream at once, and viewers play it to its end', async () => {
    const stream = await api().createStream('The end');
    await using encoder = push(stream);
    await using followed = await followStream(server().hlsUrl(stream));
    const rendition = followed.rendition('video');
    await eventually(() => everListed(rendition).length > 2, 'the stream is listed', listedWithinMs);
    await encoder.stop('SIGTERM');
    await eventually(() => rendition.playlists.at(-1)?.ended === true, 'the playlist ends', 5_000);
    await eventually(async () => (await api().stateOf(stream)) === 'idle', 'the state is idle', 10_000);
    expect(followed.mistakes()).toEqual([]);
    const { warnings, videoFrames } = await decodeWithFfmpeg(rendition.url, 30);
    expect(warnings).toEqual([]);
    expect(videoFrames).toBeGreaterThan(30);
    expect((await fetch(server().hlsUrl(stream))).status).toBe(404); // there is nothing to begin with
  });

  it.concurrent('whose key is revoked is disconnected at once, and refused from then on', async () => {
    const stream = await api().createStream('Revoked');
    await using encoder = push(stream);
    await eventually(async () => (await api().stateOf(stream)) === 'live', 'the state is live');
    await api().expect('DELETE', `/streams/${stream.id}/keys/${stream.keyId}`);
    const tookMs = await eventually(() => !encoder.running, 'the encoder is disconnected', 10_000);
    console.log(`revoked key kicked after ${Math.round(tookMs)} ms`);
    await using again = push(stream);
    await eventually(() => !again.running, 'the encoder is refused');
  });

  it.concurrent('with a wrong key is refused and nothing is published', async () => {
    await using encoder = push({ key: `mk_${'a'.repeat(32)}` });
    await eventually(() => !encoder.running, 'the encoder is refused');
    expect((await encoder.ended).code).not.toBe(0);
    expect(encoder.stderr()).not.toBe('');
  });

  it.concurrent('shows a private stream only to those with a token', async () => {
    const stream = await api().createStream('Private', { visibility: 'private' });
    await using encoder = push(stream);
    await eventually(async () => (await api().stateOf(stream)) === 'live', 'the state is live');
    const token = await api().expect('POST', `/streams/${stream.id}/playback-tokens`, { expires_in_s: 60 });
    const path = new URL(String(token['hls_url'])).pathname;
    await using followed = await followStream(`${server().httpUrl}${path}`);
    await eventually(() => followed.rendition('video').playlists.length > 5, 'the private stream is listed');
    await followed.stop();
    expect(encoder.running).toBe(true);
    expect(followed.mistakes()).toEqual([]);
    const open = await fetch(server().hlsUrl(stream));
    expect([401, 403, 404]).toContain(open.status);
    const forged = path.replace(String(token['token']), `${String(token['token']).slice(0, -4)}AAAA`);
    expect([401, 403, 404]).toContain((await fetch(`${server().httpUrl}${forged}`)).status);
  });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../src/browser.ts';
import { eventually } from '../src/eventually.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import type { RestClient, TestStream } from '../src/rest-client.ts';
import { startTarget, type Target } from '../src/target.ts';

/** What a page's video element says of itself. */
interface VideoState {
  readonly currentTime: number;
  readonly videoWidth: number;
  readonly paused: boolean;
  readonly ended: boolean;
}

describe('a viewer in Chromium', () => {
  let server: Target;
  let api: RestClient;
  let browser: TestBrowser;
  beforeAll(async () => {
    server = await startTarget({ settings: { INGEST_RECONNECT_WINDOW_MS: '8000' } });
    api = await server.signIn();
    browser = await openBrowser();
  }, 240_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  // Four encoders and pages at once: on two busy cores each of them starts slowly.
  const patienceMs = 45_000;
  const live = (hlsUrl: string) =>
    eventually(async () => (await fetch(hlsUrl)).ok, 'the stream is playable', patienceMs);

  const watch = async (stream: TestStream, path = `/watch/${stream.playbackId}`) => {
    const { page, problems } = await browser.open(new URL(path, server.httpUrl).href);
    const state = async () =>
      JSON.parse(
        await page.evaluate<string>(
          `(() => { const v = document.querySelector('video');
             return JSON.stringify(v && { currentTime: v.currentTime, videoWidth: v.videoWidth, paused: v.paused, ended: v.ended }); })()`,
        ),
      ) as VideoState | null;
    const plays = async (what: string, withinMs = patienceMs) => {
      let from = (await state())?.currentTime ?? 0;
      let steps = 0;
      await eventually(
        async () => {
          const now = (await state())?.currentTime ?? 0;
          // A jump back is a player that was built anew.
          if (now > from + 0.3 || now < from) {
            from = now;
            steps++;
          }
          return steps >= 5;
        },
        what,
        withinMs,
      );
    };
    return { page, problems, state, plays };
  };

  it('stays through a take-over with another resolution and a connection that breaks, without a reload', async () => {
    const stream = await api.createStream('Stays');
    const push = (size: string) =>
      pushWithFfmpeg({ url: server.publishUrl(stream), video: { size, fps: 30, gopS: 1 } });
    await using first = push('320x180');
    await live(server.hlsUrl(stream));
    const viewer = await watch(stream);
    await viewer.plays('it plays');
    await viewer.page.evaluate('window.millraceStayed = true');

    await using second = push('480x270');
    await eventually(() => !first.running, 'the first encoder is disconnected');
    await eventually(async () => (await viewer.state())?.videoWidth === 480, 'the new resolution is shown', patienceMs);
    await viewer.plays('it goes on with the second encoder');

    await second.stop('SIGKILL');
    await eventually(async () => (await api.stateOf(stream)) === 'interrupted', 'the state is interrupted', patienceMs);
    await using third = push('320x180');
    await eventually(async () => (await viewer.state())?.videoWidth === 320, 'the third encoder is shown', patienceMs);
    await viewer.plays('it goes on with the third encoder');
    expect(third.running).toBe(true);
    expect(await viewer.page.evaluate('window.millraceStayed')).toBe(true);
    expect(viewer.problems).toEqual([]);
  }, 180_000);

  it('comes before the encoder, sees it begin by itself, and sees that it is over', async () => {
    const stream = await api.createStream('Begins later');
    const viewer = await watch(stream);
    await using encoder = pushWithFfmpeg({ url: server.publishUrl(stream), video: { size: '320x180', gopS: 1 } });
    await viewer.plays('it plays');
    await encoder.stop('SIGTERM');
    await eventually(
      async () => /(over|ended|offline|not live)/i.test(await viewer.page.evaluate<string>('document.body.innerText')),
      'the page says that it is over',
      patienceMs,
    );
  }, 120_000);

  // A cluster takes the cores for itself: there one page at a time.
  const atOnce = process.env['MILLRACE_E2E_TARGET'] === undefined ? it.concurrent : it;
  atOnce.each([
    ['B-frames', { video: { size: '320x180', fps: 30, gopS: 2, bframes: 3 } }],
    ['no sound', { video: { size: '320x180', fps: 25, gopS: 1 }, audio: false }],
    ['sound alone', {}],
  ] as const)(
    'plays a stream with %s',
    async (title, push) => {
      const stream = await api.createStream(title);
      await using encoder = pushWithFfmpeg({ url: server.publishUrl(stream), ...push });
      await live(server.hlsUrl(stream));
      const viewer = await watch(stream);
      await viewer.plays('it plays');
      expect(encoder.running).toBe(true);
      expect(viewer.problems).toEqual([]);
      await viewer.page.close();
    },
    120_000,
  );

  atOnce(
    'plays a private stream from its link alone',
    async () => {
      const stream = await api.createStream('Private', { visibility: 'private' });
      await using encoder = pushWithFfmpeg({ url: server.publishUrl(stream), video: { size: '320x180', gopS: 1 } });
      await eventually(async () => (await api.stateOf(stream)) === 'live', 'the state is live');
      const link = await api.expect('POST', `/streams/${stream.id}/playback-tokens`, { expires_in_s: 600 });
      await live(String(link['hls_url']));
      const { pathname, search } = new URL(String(link['watch_url']));
      const viewer = await watch(stream, `${pathname}${search}`);
      await viewer.plays('it plays');
      expect(encoder.running).toBe(true);
      expect(viewer.problems).toEqual([]);
      const stranger = await watch(stream);
      await stranger.page.waitForTimeout(1_500);
      expect((await stranger.state())?.currentTime ?? 0).toBe(0);
    },
    120_000,
  );
});

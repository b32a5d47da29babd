import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Cmcd, decodeCmcd } from '@svta/cml-cmcd';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { playbackToken } from './fake-api.ts';
import { Site, type Visitor } from './site.ts';

let site: Site;
let visitor: Visitor;
let page: Page;
beforeAll(async () => {
  site = await Site.open({ encode: true });
});
afterAll(() => site?.[Symbol.asyncDispose]());
beforeEach(async () => {
  site.api.clear();
  site.live.failPlaylists = 0;
  visitor = await site.visitor();
  page = visitor.page;
});
afterEach(() => visitor.context.close());

/** A stream that is on air. */
function onAir(visibility: 'public' | 'private' = 'public', forS?: number) {
  const stream = site.api.seed({ title: 'Garage concert', visibility });
  site.live.start(forS);
  site.api.setState(stream.id, 'live');
  return stream;
}

/** Waits until the picture has moved on by `s` seconds from now. */
async function plays(s = 0.3): Promise<void> {
  await page.waitForFunction(() => window.millrace?.state().phase === 'playing');
  const from = await page.evaluate(() => window.millrace?.video.currentTime ?? 0);
  await page.waitForFunction((after) => (window.millrace?.video.currentTime ?? 0) > after, from + s);
}

describe('the watch page', () => {
  it('stays small: 9 KB compressed before the player, 5 KB after the picture for the hub', async () => {
    const sizeOf = async (pattern: RegExp) => {
      const files = (await readdir(join(site.dist, 'assets'))).filter((file) => pattern.test(file));
      const sizes = await Promise.all(
        files.map(async (file) => gzipSync(await readFile(join(site.dist, 'assets', file))).length),
      );
      return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    };
    const first = await sizeOf(/^index-.*\.js$/);
    const following = await sizeOf(/^(stream-following|hub-address|hub-client).*\.js$/);
    expect(first.files).toBeGreaterThan(0);
    expect(following.files).toBeGreaterThan(0);
    expect(first.bytes).toBeLessThan(9_000);
    expect(following.bytes).toBeLessThan(5_000);
  });

  it('starts by itself when the stream goes live, without a reload and without a complaint', async () => {
    const stream = site.api.seed({ title: 'Garage concert' });
    await page.goto(`/watch/${stream.playback_id}`);
    await page.getByRole('heading', { name: 'The stream is offline' }).waitFor();
    expect(await page.title()).toBe('Garage concert · Millrace');
    site.live.start();
    site.api.setState(stream.id, 'live');
    await plays();
    expect(await page.getByRole('heading', { name: 'The stream is offline' }).count()).toBe(0);
    expect(visitor.complaints).toEqual([]);
  });

  it('shows its latency, and gives it to tests and benchmarks', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    const seen = await page.evaluate(() => {
      const { millrace } = window;
      return {
        latencyS: millrace?.latencyS(),
        targetS: millrace?.targetLatencyS(),
        wallS: millrace?.wallClockLatencyS(),
      };
    });
    expect(seen.targetS).toBe(3);
    expect(seen.latencyS).toBeGreaterThan(2);
    expect(seen.latencyS).toBeLessThan(6);
    // The first playlist is up to one segment old when it comes, which the player cannot know: it thinks it is nearer.
    const unseenS = (seen.wallS ?? 0) - (seen.latencyS ?? 0);
    expect(unseenS).toBeGreaterThan(-0.1);
    expect(unseenS).toBeLessThan(1.1);
    await eventually(() => page.locator('video').getAttribute('data-latency-ms')).toMatch(/^\d{4}$/);
    await page.getByText(/Live \d\.\d s/).waitFor();
  });

  it('offers the sound that the browser refused', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    await page.getByRole('button', { name: 'Turn the sound on' }).first().click();
    expect(await page.evaluate(() => window.millrace?.video.muted)).toBe(false);
    await plays();
  });

  it('obeys the keyboard, and jumps back to live', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    await page.keyboard.press('k');
    await page.waitForFunction(() => window.millrace?.video.paused === true);
    await page.getByRole('button', { name: 'Jump to live' }).click();
    await plays();
    await page.evaluate(() => {
      const video = window.millrace?.video;
      if (video) video.currentTime -= 3;
    });
    await page.getByRole('button', { name: 'Jump to live' }).waitFor();
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Jump to live' }).waitFor({ state: 'detached' });
    const muted = await page.evaluate(() => window.millrace?.video.muted);
    await page.keyboard.press('m');
    expect(await page.evaluate(() => window.millrace?.video.muted)).toBe(!muted);
  });

  it('says when the stream has ended, and plays the next broadcast by itself', async () => {
    const stream = onAir();
    await page.goto(`/watch/${stream.playback_id}`);
    await plays();
    site.live.end();
    site.api.setState(stream.id, 'idle');
    await page.getByRole('heading', { name: 'The stream has ended' }).waitFor({ timeout: 15_000 });
    site.live.start();
    site.api.setState(stream.id, 'live');
    await plays();
  });

  it('does not play the end of the last broadcast again', async () => {
    const stream = onAir();
    site.live.end();
    await page.goto(`/watch/${stream.playback_id}`);
    await page.getByRole('heading', { name: 'The stream has ended' }).waitFor();
    expect(await page.evaluate(() => window.millrace?.video.currentTime)).toBe(0);
  });

  it('goes on over a discontinuity', async () => {
    await page.goto(`/watch/${onAir('public', 24).playback_id}`);
    await plays(5);
    expect(await page.evaluate(() => window.millrace?.state().phase)).toBe('playing');
  });

  it('survives an origin that fails for a while', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    site.live.failPlaylists = 4;
    await eventually(() => site.live.failPlaylists).toBe(0);
    await plays(1);
  });

  it('builds a new player when the old one is lost, in the same page', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    await page.evaluate(() => {
      const hls = window.millrace?.hls as { trigger(event: string, data: object): void };
      Object.assign(window, { lostHls: hls });
      hls.trigger('hlsError', {
        type: 'networkError',
        details: 'levelLoadError',
        fatal: true,
        error: new Error('lost'),
      });
    });
    await page.waitForFunction(
      () => window.millrace?.hls && !Object.is(window.millrace.hls, Reflect.get(window, 'lostHls')),
    );
    await plays();
  });

  it('recovers from a decoder error without a new player', async () => {
    await page.goto(`/watch/${onAir().playback_id}`);
    await plays();
    await page.evaluate(() => {
      const hls = window.millrace?.hls as { trigger(event: string, data: object): void };
      Object.assign(window, { sameHls: hls });
      hls.trigger('hlsError', {
        type: 'mediaError',
        details: 'bufferAppendError',
        fatal: true,
        error: new Error('bad'),
      });
    });
    await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0);
    await plays(1);
    expect(await page.evaluate(() => window.millrace?.video.paused)).toBe(false);
    expect(await page.evaluate(() => Object.is(window.millrace?.hls, Reflect.get(window, 'sameHls')))).toBe(true);
    expect(await page.getByRole('button', { name: 'Jump to live' }).count()).toBe(0);
  });
});

describe('the hub on the watch page', () => {
  it('comes after the picture, counts the viewers, and is not missed while it is away', async () => {
    const stream = onAir();
    await page.goto(`/watch/${stream.playback_id}`);
    await plays();
    await eventually(() => site.api.hub.asked).toEqual([`subscribe stream:${stream.playback_id}`]);
    const frames = await page.evaluate(() => {
      const entries = performance.getEntriesByType('resource');
      const startOf = (part: RegExp) => entries.find((entry) => part.test(entry.name))?.startTime ?? Number.NaN;
      return { hub: startOf(/stream-following/), media: startOf(/\.m4s/) };
    });
    expect(frames.hub).toBeGreaterThan(frames.media);
    site.api.hub.count(stream.id, 1_204);
    await page.locator('.viewer-count').getByText('1,204').waitFor();
    site.api.hub.away = true;
    site.api.hub.drop();
    await page.locator('.viewer-count').waitFor({ state: 'detached' });
    await plays();
  });

  it('starts the picture at once when the stream goes live, without asking every two seconds', async () => {
    const stream = site.api.seed({ title: 'Garage concert' });
    await page.goto(`/watch/${stream.playback_id}`);
    await page.getByRole('heading', { name: 'The stream is offline' }).waitFor();
    await eventually(() => site.api.hub.connections).toBe(1);
    const asked: number[] = [];
    page.on('request', (request) => request.url().includes('/api/v1/watch/') && asked.push(Date.now()));
    // Longer than the interval of asking without the hub.
    await page.waitForTimeout(2_500);
    expect(asked.length).toBeLessThanOrEqual(1);
    site.live.start();
    site.api.setState(stream.id, 'live');
    await plays();
  });
});

describe('reports of the player', () => {
  it('tell startup, latency and the end of the visit by CMCD v2, and leave the requests for media as they are', async () => {
    site.reports.length = 0;
    site.mediaAsked.length = 0;
    const stream = onAir();
    await page.goto(`/watch/${stream.playback_id}`);
    await plays();
    const lines = () =>
      site.reports.flatMap(({ body }) => body.split('\n').filter(Boolean)).map((line) => decodeCmcd(line) as Cmcd);
    await eventually(() => lines().some((line) => line.e === 'ps' && line.sta === 'p')).toBe(true);
    const playing = lines().find((line) => line.sta === 'p');
    expect(playing?.msd).toBeGreaterThan(50);
    expect(playing?.msd).toBeLessThan(15_000);
    expect(playing?.ltc).toBeGreaterThan(1_000);
    expect(playing).toMatchObject({ v: 2, bsa: [0], bsda: [0], pb: [1500], tpb: [1500] });
    expect(lines().filter((line) => line.msd !== undefined)).toHaveLength(1);
    await page.goto('about:blank');
    await eventually(() => lines().at(-1)?.sta).toBe('q');
    const numbers = lines().map((line) => line.sn);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    const { path, type } = site.reports[0] ?? {};
    expect([path, type]).toEqual([`/live/${stream.playback_id}/s/ses_fake/cmcd`, 'application/cmcd']);
    expect(site.mediaAsked.filter((one) => /CMCD/i.test(`${one.path} ${one.headers.join(' ')}`))).toEqual([]);
  });
});

describe('a private stream', () => {
  it('plays with its link, and tells what is missing without it', async () => {
    const stream = onAir('private');
    await page.goto(`/watch/${stream.playback_id}`);
    await page.getByRole('heading', { name: 'You need a valid link' }).waitFor();
    await page.goto(`/watch/${stream.playback_id}?token=${playbackToken}`);
    await plays();
    await eventually(() => site.api.hub.asked.at(-1)).toBe(`subscribe stream:${stream.playback_id} ${playbackToken}`);
  });
});

it('an unknown address is told as such', async () => {
  await page.goto('/watch/play_unknown');
  await page.getByRole('heading', { name: 'No such stream' }).waitFor();
});

it('the page asks again by itself when the API was away', async () => {
  const stream = onAir();
  site.api.unreachable = true;
  await page.goto(`/watch/${stream.playback_id}`);
  await page.getByRole('heading', { name: 'No connection' }).waitFor();
  site.api.unreachable = false;
  await plays();
});

it('the preview plays muted beside the figures, and stops with the stream', async () => {
  const stream = onAir();
  site.api.codeUsed = false;
  await page.goto('/sign-in#code=one-time-code');
  await page.getByRole('heading', { name: 'Streams' }).waitFor();
  await page.goto(`/streams/${stream.id}`);
  await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0);
  await page.getByText('behind the live edge').waitFor();
  expect(await page.evaluate(() => window.millrace?.video.muted)).toBe(true);
  site.api.setState(stream.id, 'idle');
  await page.getByText('The preview starts by itself').waitFor();
  expect(await page.evaluate(() => window.millrace)).toBeUndefined();
  expect(visitor.complaints).toEqual([]);
});

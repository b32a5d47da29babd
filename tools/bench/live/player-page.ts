/** A page in Chromium that plays the clock source, and what it saw. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { findOnPath, programs } from '../../setup/programs.mjs';
import { ageOf, readBarcode } from './barcode.ts';

/** What one playback showed. Times in ms. */
export interface Playback {
  /** From navigation to the first frame on the screen. */
  readonly firstFrameMs: number;
  /** Glass to glass, one for each frame presented after the settling time. */
  readonly latencies: readonly number[];
  /** Times that the player ran dry after its first frame. */
  readonly waits: number;
  /** Longest time between two presented frames after the settling time. */
  readonly longestGapMs: number;
  /** Frames whose clock could not be read. */
  readonly unreadable: number;
}

interface PageClock {
  readonly readings: readonly (readonly [number, readonly number[]])[];
  readonly firstFrameMs: number | undefined;
  readonly waits: number;
}

/** Opens Chromium as found by the set-up. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findOnPath(programs.chromium.names);
  if (!executablePath) throw new Error('chromium is not on PATH');
  const args = ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath, args });
}

/** Plays `url` for `settleMs + measureMs` in a fresh context and reads the clock from every frame. */
export async function play(browser: Browser, url: string, settleMs: number, measureMs: number): Promise<Playback> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript({ path: join(dirname(fileURLToPath(import.meta.url)), 'page-clock.js') });
    await page.goto(url);
    const readClock = () => page.evaluate<PageClock>('window.millraceClock');
    for (let waited = 0; (await readClock()).firstFrameMs === undefined; waited += 50) {
      if (waited > 20_000)
        throw new Error(`${url}: no frame within 20 s: ${await page.evaluate('document.body.innerText')}`);
      await sleep(50);
    }
    const firstFrameMs = (await readClock()).firstFrameMs ?? 0;
    await sleep(settleMs);
    const before = await readClock();
    await sleep(measureMs);
    const after = await readClock();
    const firstAt = before.readings.at(-1)?.[0] ?? 0;
    const readings = after.readings.filter(([at]) => at > firstAt);
    const ages = readings.map(([at, blocks]) => {
      const stamp = readBarcode(blocks);
      return stamp === undefined ? undefined : ageOf(stamp, at);
    });
    const gaps = readings.slice(1).map(([at], index) => at - (readings[index]?.[0] ?? at));
    return {
      firstFrameMs,
      latencies: ages.filter((age) => age !== undefined),
      waits: after.waits,
      longestGapMs: Math.max(0, ...gaps),
      unreadable: ages.filter((age) => age === undefined).length,
    };
  } finally {
    await context.close();
  }
}

/** A page with hls.js as its authors ship it: default settings, nothing of ours. */
export async function serveStockPlayer(): Promise<{ url: (hlsUrl: string) => string } & AsyncDisposable> {
  const script = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'));
  const html = `<!doctype html><title>hls.js</title><video muted autoplay playsinline width="640"></video>
<script src="/hls.js"></script><script>
const hls = new Hls();
hls.loadSource(new URLSearchParams(location.search).get('src'));
hls.attachMedia(document.querySelector('video'));
</script>`;
  const server: Server = createServer((request, response) => {
    const isScript = request.url === '/hls.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: (hlsUrl) => `http://127.0.0.1:${port}/?src=${encodeURIComponent(hlsUrl)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

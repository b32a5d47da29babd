import type { Page } from 'playwright-core';
import { clockAgeMs, clockGrid, type PictureSize, readClockPicture } from './clock-picture.ts';

/** One frame as a viewer saw it. */
export interface SeenFrame {
  /** Wall clock of its presentation, ms. */
  readonly atMs: number;
  /** Age of the clock in the picture, ms; undefined when no clock could be read. */
  readonly latencyMs: number | undefined;
  /** Position of the player, s. */
  readonly mediaTimeS: number;
}

export interface PlaybackReport {
  readonly frames: readonly SeenFrame[];
  /** When the player ran dry (`waiting` events) since the first frame, ms of the wall clock. */
  readonly stallsMs: readonly number[];
  /** From navigation to the first presented frame, ms. */
  readonly firstFrameMs: number | undefined;
}

/** The few things of a page that the sampler touches; this package has no DOM types. */
interface PageVideo {
  readonly videoWidth: number;
  readonly videoHeight: number;
  addEventListener(type: 'waiting', listener: () => void): void;
  requestVideoFrameCallback(listener: (now: number, frame: { readonly mediaTime: number }) => void): void;
}
interface PageCanvas {
  getContext(
    kind: '2d',
    options: { willReadFrequently: boolean },
  ): {
    drawImage(source: PageVideo, ...numbers: readonly number[]): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8Array };
  } | null;
}
declare const document: {
  querySelector(selector: 'video'): PageVideo | null;
  createElement(name: 'canvas'): PageCanvas;
};
declare const window: { millraceSampler?: Sampler };

/** Block brightnesses of one frame, read in the page; decoded here. */
interface RawFrame {
  readonly atMs: number;
  readonly mediaTimeS: number;
  readonly pixels: readonly number[];
}

interface Sampler {
  frames: RawFrame[];
  stallsMs: number[];
  firstFrameMs: number | undefined;
}

const { columns, rows, heightShare } = clockGrid;
/** Canvas cells per block in each direction: three, so that the middle is clear of its neighbours. */
const cells = 3;

/**
 * Starts to watch the first video element of `page`: every presented frame is drawn into a small canvas, one pixel per
 * third of a block. Call it right after navigation, then `report` for what was seen so far.
 */
export async function watchLatency(page: Page): Promise<{ report(): Promise<PlaybackReport> }> {
  await page.waitForSelector('video');
  await page.evaluate('globalThis.__name ??= (value) => value'); // esbuild names functions by a helper that pages lack
  await page.evaluate(
    ({ width, height, share }) => {
      const video = document.querySelector('video');
      if (video === null) throw new Error('no video element');
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (context === null) throw new Error('no canvas');
      const sampler: Sampler = { frames: [], stallsMs: [], firstFrameMs: undefined };
      Object.assign(window, { millraceSampler: sampler });
      video.addEventListener('waiting', () => {
        if (sampler.frames.length > 0) sampler.stallsMs.push(Date.now());
      });
      const onFrame = (_now: number, frame: { mediaTime: number }) => {
        const atMs = Date.now();
        sampler.firstFrameMs ??= performance.now();
        context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * share, 0, 0, width, height);
        const rgba = context.getImageData(0, 0, width, height).data;
        const pixels: number[] = [];
        for (let i = 1; i < rgba.length; i += 4) pixels.push(rgba[i] ?? 0);
        if (sampler.frames.length < 10_000) sampler.frames.push({ atMs, mediaTimeS: frame.mediaTime, pixels });
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    },
    { width: columns * cells, height: rows * cells, share: heightShare },
  );
  return {
    async report() {
      const sampler = await page.evaluate(() => window.millraceSampler);
      if (sampler === undefined) throw new Error('the page was left: its sampler is gone');
      return { ...sampler, frames: sampler.frames.map(decode) };
    },
  };
}

function decode({ atMs, mediaTimeS, pixels }: RawFrame): SeenFrame {
  const size: PictureSize = { width: columns * cells, height: (rows * cells) / heightShare };
  const clock = readClockPicture(size, (x, y) => pixels[y * size.width + x] ?? 0);
  return { atMs, mediaTimeS, latencyMs: clock === undefined ? undefined : clockAgeMs(clock, atMs) };
}

/** The value below which the share `p` of `values` lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
  if (value === undefined) throw new Error('expected at least one value');
  return value;
}

/** Looks at the video element of a page. */
import type { Page } from 'playwright-core';
import { eventually } from './eventually.ts';

export interface ShownVideo {
  readonly currentTime: number;
  readonly duration: number | null;
  readonly videoWidth: number;
  readonly ended: boolean;
  readonly error: string | undefined;
  /** Text tracks that have cues. */
  readonly captions: number;
}

const expression = `(() => { const v = document.querySelector('video');
  return JSON.stringify(v && { currentTime: v.currentTime, duration: v.duration, videoWidth: v.videoWidth, ended: v.ended,
    error: v.error?.message, captions: [...v.textTracks].filter((track) => track.cues?.length > 0).length }); })()`;

export async function shownVideo(page: Page): Promise<ShownVideo | null> {
  return JSON.parse(await page.evaluate<string>(expression)) as ShownVideo | null;
}

/** Waits until the picture has gone on for `seconds` without a jump of more than a second. */
export async function playsFor(page: Page, seconds: number, withinMs = 20_000): Promise<ShownVideo> {
  let last: ShownVideo | null = null;
  let at = 0;
  let played = 0;
  await eventually(
    async () => {
      last = await shownVideo(page);
      const now = last?.currentTime ?? 0;
      if (now > at && now - at < 1) played += now - at;
      at = now;
      return played >= seconds;
    },
    `the video plays for ${seconds} s`,
    withinMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
  if (last === null) throw new Error('unreachable');
  return last;
}

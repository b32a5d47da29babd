/** Small pictures of a video at even distances, many in one file: what a player shows above its time line. Pure. */

export interface StoryboardPlan {
  readonly intervalMs: number;
  /** Of one picture, pixels; even. */
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  /** Pictures in all. */
  readonly tiles: number;
}

const columns = 5;
const rows = 5;
const longSide = 160;
const mostTiles = 300;
const leastIntervalMs = 1_000;

/** One picture a second, less often in a long video. */
export function planStoryboard(durationMs: number, width: number, height: number): StoryboardPlan {
  const intervalMs = Math.max(leastIntervalMs, Math.ceil(durationMs / mostTiles));
  const scale = Math.min(1, longSide / Math.max(width, height));
  return {
    intervalMs,
    width: evenly(width * scale),
    height: evenly(height * scale),
    columns,
    rows,
    tiles: Math.max(1, Math.ceil(durationMs / intervalMs)),
  };
}

/** WebVTT whose cues name a part of a picture each (`#xywh`), for the `sheets` files that there are. */
export function renderStoryboard(plan: StoryboardPlan, durationMs: number, sheets: readonly string[]): string {
  const perSheet = plan.columns * plan.rows;
  const cues: string[] = [];
  for (let tile = 0; tile < Math.min(plan.tiles, sheets.length * perSheet); tile++) {
    const from = tile * plan.intervalMs;
    const to = Math.min(durationMs, from + plan.intervalMs);
    const place = tile % perSheet;
    const x = (place % plan.columns) * plan.width;
    const y = Math.floor(place / plan.columns) * plan.height;
    const sheet = sheets[Math.floor(tile / perSheet)] ?? '';
    cues.push(
      `${cueTime(from)} --> ${cueTime(Math.max(to, from + 1))}\n${sheet}#xywh=${x},${y},${plan.width},${plan.height}\n`,
    );
  }
  return `WEBVTT\n\n${cues.join('\n')}`;
}

/** How much there is to see in a picture: a black or even one says nothing of a video. Grey bytes, 0..255. */
export function interestOf(grey: Uint8Array): {
  readonly mean: number;
  readonly deviation: number;
  readonly enough: boolean;
} {
  if (grey.length === 0) return { mean: 0, deviation: 0, enough: false };
  let sum = 0;
  let squares = 0;
  for (const value of grey) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / grey.length;
  const deviation = Math.sqrt(Math.max(0, squares / grey.length - mean * mean));
  return { mean, deviation, enough: mean >= 30 && mean <= 235 && deviation >= 12 };
}

/** `01:02:03.456`. */
function cueTime(ms: number): string {
  const whole = Math.floor(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3_600_000);
  return `${two(hours)}:${two(Math.floor(whole / 60_000) % 60)}:${two(Math.floor(whole / 1_000) % 60)}.${String(whole % 1_000).padStart(3, '0')}`;
}

function evenly(pixels: number): number {
  return Math.max(2, Math.round(pixels / 2) * 2);
}

/** A storyboard: WebVTT whose cues name parts of pictures, `storyboard-0.jpg#xywh=160,0,160,90` (Media Fragments 4.2.2). Pure. */

export interface StoryboardTile {
  readonly fromS: number;
  readonly toS: number;
  readonly url: string;
  /** Where in the picture it is, pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** More would be no storyboard of ours. */
const mostTiles = 5_000;
const time = String.raw`(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})`;
const timing = new RegExp(`^${time}[ \\t]+-->[ \\t]+${time}`);
const part = /^(\S+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/** Reads a storyboard that came from `base`; cues that name no part of a picture of the same origin are left out. By time. */
export function parseStoryboard(text: string, base: string): readonly StoryboardTile[] {
  const tiles: StoryboardTile[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (const [at, line] of lines.entries()) {
    const times = timing.exec(line);
    const named = times === null ? null : part.exec(lines[at + 1]?.trim() ?? '');
    if (times === null || named === null) continue;
    const url = resolve(named[1] ?? '', base);
    const [x = 0, y = 0, width = 0, height = 0] = named.slice(2).map(Number);
    const [fromS, toS] = [secondsOf(times.slice(1, 5)), secondsOf(times.slice(5, 9))];
    if (url === undefined || width === 0 || height === 0 || toS <= fromS) continue;
    tiles.push({ fromS, toS, url, x, y, width, height });
    if (tiles.length === mostTiles) break;
  }
  return tiles.sort((a, b) => a.fromS - b.fromS);
}

/** The picture of a moment: the last that begins before it; the first one before that. */
export function tileAt(tiles: readonly StoryboardTile[], atS: number): StoryboardTile | undefined {
  let [low, high] = [0, tiles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tiles[middle]?.fromS ?? 0) <= atS) low = middle + 1;
    else high = middle;
  }
  return tiles[Math.max(0, low - 1)];
}

function secondsOf(parts: readonly (string | undefined)[]): number {
  const [hours = 0, minutes = 0, seconds = 0, thousandths = 0] = parts.map((text) => Number(text ?? 0));
  return hours * 3_600 + minutes * 60 + seconds + thousandths / 1_000;
}

function resolve(path: string, base: string): string | undefined {
  if (!URL.canParse(path, base)) return undefined;
  const url = new URL(path, base);
  return url.origin === new URL(base).origin ? url.href : undefined;
}

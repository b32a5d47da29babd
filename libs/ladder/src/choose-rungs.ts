/** Which renditions a source is worth: by its size and rate, never larger than it is. */
import { frameRateOf, framesPerSecond } from './frame-rate.ts';

/** One step of the ladder as the operator wants it, for a picture of 16:9 at 30 frames/s. */
export interface RungWish {
  /** Pixels of the shorter side: 720 is 1280x720, or 720x1280 upright. */
  readonly lines: number;
  readonly bitsPerSecond: number;
}

export interface LadderOptions {
  /** Largest first. */
  readonly rungs: readonly RungWish[];
  /** A source of more is halved, and halved again; frames/s. */
  readonly maxFramesPerSecond: number;
  /** Rungs of fewer lines than this get at most half of that. */
  readonly fastFromLines: number;
  /** Peak over average. */
  readonly peakFactor: number;
}

export const defaultLadder: LadderOptions = {
  rungs: [
    { lines: 1080, bitsPerSecond: 5_000_000 },
    { lines: 720, bitsPerSecond: 2_800_000 },
    { lines: 480, bitsPerSecond: 1_300_000 },
    { lines: 360, bitsPerSecond: 750_000 },
    { lines: 240, bitsPerSecond: 400_000 },
  ],
  maxFramesPerSecond: 60,
  fastFromLines: 720,
  peakFactor: 1.5,
};

export interface LadderSource {
  /** As shown, pixels. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

export interface LadderRung {
  /** `720p`. */
  readonly name: string;
  /** Even, pixels. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly bitsPerSecond: number;
  readonly maxBitsPerSecond: number;
}

/** A rate above this is of the fast kind, whose pictures come in pairs for the rungs at half of it; frames/s. */
const fastAbove = 35;
/** A rung nearly as large as the source is the source's own size rather than a slightly smaller one. */
const nearly = 0.95;

/**
 * Rungs for a source, best first; at least one. No rung is larger than the source, the source's aspect is kept to a pair of pixels,
 * and a source that lies between two wishes is at the top itself, at a bit rate between theirs.
 */
export function chooseRungs(source: LadderSource, options: LadderOptions = defaultLadder): readonly LadderRung[] {
  const sourceLines = Math.min(source.width, source.height);
  const rate = cappedRate(source.framesPerSecond, options.maxFramesPerSecond);
  const wishes = [...options.rungs].sort((a, b) => b.lines - a.lines);
  const largest = wishes[0];
  if (largest === undefined) throw new Error('a ladder needs at least one rung');
  const top = Math.min(sourceLines, largest.lines);
  const below = wishes.filter((wish) => wish.lines < top * nearly);
  return [{ lines: top, bitsPerSecond: bitsFor(top, wishes) }, ...below].map((wish) =>
    rungOf(wish, source, rate, options),
  );
}

function rungOf(wish: RungWish, source: LadderSource, sourceRate: number, options: LadderOptions): LadderRung {
  const scale = Math.min(1, wish.lines / Math.min(source.width, source.height));
  const width = evenly(source.width * scale, source.width);
  const height = evenly(source.height * scale, source.height);
  const rate = sourceRate > fastAbove && wish.lines < options.fastFromLines ? halved(sourceRate) : sourceRate;
  // Twice the pictures differ less from one another: half as much again does.
  const pace = rate > fastAbove ? 1.5 : Math.max(0.5, Math.min(1, rate / 30 + 0.1));
  const area = (width * height) / (wish.lines * wish.lines * (16 / 9));
  const bits = round(Math.max(100_000, wish.bitsPerSecond * pace * Math.min(1.5, Math.max(0.2, area))));
  return {
    name: `${wish.lines}p`,
    width,
    height,
    framesPerSecond: rate,
    bitsPerSecond: bits,
    maxBitsPerSecond: round(bits * options.peakFactor),
  };
}

/** Halves the rate until it is allowed: 120 to 60, and never an odd fraction of what was shot. */
function cappedRate(framesPerSecond: number, most: number): number {
  let rate = framesPerSecond;
  while (rate > most * 1.01) rate = halved(rate);
  return rate;
}

function halved(value: number): number {
  const { num, den } = frameRateOf(value);
  return framesPerSecond({ num, den: den * 2 });
}

/** Bit rate for `lines` between two wishes by area, and by the nearest wish outside of them. */
function bitsFor(lines: number, wishes: readonly RungWish[]): number {
  const above = wishes.findLast((wish) => wish.lines >= lines);
  const below = wishes.find((wish) => wish.lines <= lines);
  if (above !== undefined && below !== undefined) {
    if (above.lines === below.lines) return above.bitsPerSecond;
    const part = (lines ** 2 - below.lines ** 2) / (above.lines ** 2 - below.lines ** 2);
    return below.bitsPerSecond + part * (above.bitsPerSecond - below.bitsPerSecond);
  }
  const wish = above ?? below;
  return wish === undefined ? 0 : wish.bitsPerSecond * Math.min(1, lines ** 2 / wish.lines ** 2);
}

/** 4:2:0 pictures have even sides; rounding does not make one larger than the source. */
function evenly(pixels: number, most: number): number {
  return Math.max(2, Math.min(Math.round(pixels / 2), Math.floor(most / 2)) * 2);
}

function round(bits: number): number {
  return Math.round(bits / 1_000) * 1_000;
}

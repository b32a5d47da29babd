/** How a picture becomes small: the size of its thumbnail, and the filters that make it. Pure. */
import { turnedSize, turnsOf } from './picture-turn.ts';

export interface ThumbnailWish {
  /** As stored, pixels. */
  readonly width: number;
  readonly height: number;
  /** EXIF, 1..8. */
  readonly orientation: number;
  /** Longer side of the thumbnail at most, pixels. */
  readonly side: number;
  readonly contentType: string;
}

export interface ThumbnailPlan {
  /** As shown, pixels. */
  readonly width: number;
  readonly height: number;
  readonly filter: string;
}

/** Weighing colours by what can be seen of them takes 12 bytes of memory a pixel; larger pictures go without, pixels. */
const mostWeighed = 16_000_000;

/** The whole picture in its own shape, never larger than it is. */
export function planThumbnail({ width, height, orientation, side, contentType }: ThumbnailWish): ThumbnailPlan {
  const scale = Math.min(1, side / Math.max(width, height));
  const small = { width: scaled(width, scale), height: scaled(height, scale) };
  const resize = `scale=${small.width}:${small.height}:flags=area`;
  // the colour of what cannot be seen would show at its edges
  const weighed = ['format=gbrap', 'premultiply=inplace=1', resize, 'unpremultiply=inplace=1'];
  const seeThrough = contentType !== 'image/jpeg';
  const shrink = seeThrough && width * height <= mostWeighed ? weighed : [resize];
  const out = seeThrough ? 'format=bgra' : 'format=bgr0';
  // turned when it is small: that costs nothing then
  return { ...turnedSize(small, orientation), filter: [...shrink, ...turnsOf(orientation), 'setsar=1', out].join(',') };
}

function scaled(side: number, scale: number): number {
  return Math.max(1, Math.round(side * scale));
}

/**
 * How a still picture moves: filter graphs, as pure text. The picture is brought once to a canvas a little larger than the frame; every
 * frame then looks at a part of it that is chosen in fractions of a pixel (`perspective`), so slow motion does not jump from pixel to
 * pixel as it does with `zoompan`.
 */
import type { SpecOf } from '@millrace/api';
import type { FrameRate } from '@millrace/ladder';
import { turnsOf } from './picture-turn.ts';

export type Motion = SpecOf<'animate'>['motion'];

export interface MotionWish {
  readonly motion: Motion;
  readonly fill: 'crop' | 'blur';
  /** The picture as it is shown, pixels. */
  readonly picture: { readonly width: number; readonly height: number };
  /** EXIF, 1..8: how the stored picture is to be turned to be shown. */
  readonly orientation: number;
  readonly width: number;
  readonly height: number;
  readonly rate: FrameRate;
  readonly frames: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How near a zoom goes, and how much of a picture a pan passes at least. */
const nearest = 1.25;
const panned = 1.2;
/** A panorama is passed whole up to so many frames' width. */
const mostPanned = 3;
/** Room on the right and below for shifts by less than two pixels. */
const margin = 4;

/** Graph from `[0:v]`, the picture as stored, to `[moving]`: `frames` frames of `width` x `height` at the rate. */
export function motionGraph(wish: MotionWish): string {
  const { motion, orientation, rate, frames } = wish;
  const canvas = canvasOf(wish);
  const upright = [
    'trim=end_frame=1', // of a GIF only the first
    ...turnsOf(orientation),
    'format=gbrap',
    'premultiply=inplace=1', // what can be seen through is black
    'format=gbrp',
  ];
  const still = [
    'setsar=1',
    'loop=loop=-1:size=1',
    `settb=${rate.den}/${rate.num}`,
    'setpts=N',
    `trim=end_frame=${frames}`,
  ];
  const moving = [...still, ...movement(motion, canvas, wish), 'format=yuv420p'];
  return [`[0:v]${upright.join(',')}[upright]`, fillGraph(wish, canvas), `[canvas]${moving.join(',')}[moving]`].join(
    ';',
  );
}

/** What of the picture all frames together show, in pixels of the frame. */
function canvasOf({ motion, picture, width, height, fill }: MotionWish): Size {
  const natural = (across: number, along: number, pictureAcross: number, pictureAlong: number) => {
    const whole = fill === 'blur' ? 0 : (across * pictureAlong) / pictureAcross;
    return even(Math.min(along * mostPanned, Math.max(along * panned, whole)));
  };
  switch (motion) {
    case 'still':
      return { width, height };
    case 'pan-left':
    case 'pan-right':
      return { width: natural(height, width, picture.height, picture.width), height };
    case 'pan-up':
    case 'pan-down':
      return { width, height: natural(width, height, picture.width, picture.height) };
    case 'zoom-in':
    case 'zoom-out':
    case 'ken-burns':
      return { width: even(width * nearest), height: even(height * nearest) };
  }
}

/** `[upright]` to `[canvas]`. Sizes are exact numbers, so that a strip of one pixel's height is not scaled to a kilometre. */
function fillGraph({ fill, picture }: MotionWish, canvas: Size): string {
  const { width, height } = canvas;
  const toVideo = 'out_color_matrix=bt709:out_range=tv';
  const cut = coverOf(picture, canvas);
  const cover = `crop=${cut.width}:${cut.height},scale=${width}:${height}:flags=lanczos:${toVideo},format=yuv420p`;
  if (fill === 'crop') return `[upright]${cover}[canvas]`;
  const fit = Math.min(width / picture.width, height / picture.height);
  const whole = { width: even(picture.width * fit), height: even(picture.height * fit) };
  const sigma = (Math.min(width, height) / 24).toFixed(2);
  return [
    '[upright]split[near][far]',
    `[far]${cover},gblur=sigma=${sigma},lutyuv=y=val*0.6[ground]`,
    `[near]scale=${whole.width}:${whole.height}:flags=lanczos:${toVideo},format=yuv420p[whole]`,
    '[ground][whole]overlay=x=(W-w)/2:y=(H-h)/2[canvas]',
  ].join(';');
}

/** The largest part of the picture in the shape of the canvas. */
function coverOf(picture: Size, canvas: Size): Size {
  const fit = Math.max(canvas.width / picture.width, canvas.height / picture.height);
  const side = (wanted: number, most: number) => Math.min(most, Math.max(1, Math.round(wanted / fit)));
  return { width: side(canvas.width, picture.width), height: side(canvas.height, picture.height) };
}

function movement(motion: Motion, canvas: Size, { width, height, frames }: MotionWish): readonly string[] {
  /** 0 to 1 over the frames, slow at both ends. `n` is the number of the frame from 0. */
  const eased = (n: string) => `(0.5-0.5*cos(PI*${n}/${Math.max(1, frames - 1)}))`;
  const [wide, high] = [canvas.width - width, canvas.height - height];
  switch (motion) {
    case 'still':
      return [];
    case 'pan-left':
      return shift(
        (n) => `${wide}*(1-${eased(n)})`,
        () => '0',
        { width, height },
        canvas,
      );
    case 'pan-right':
      return shift(
        (n) => `${wide}*${eased(n)}`,
        () => '0',
        { width, height },
        canvas,
      );
    case 'pan-up':
      return shift(
        () => '0',
        (n) => `${high}*(1-${eased(n)})`,
        { width, height },
        canvas,
      );
    case 'pan-down':
      return shift(
        () => '0',
        (n) => `${high}*${eased(n)}`,
        { width, height },
        canvas,
      );
    case 'zoom-in':
      return zoom(`(1+${nearest - 1}*${eased('(on-1)')})`, '0.5', '0.5', { width, height });
    case 'zoom-out':
      return zoom(`(${nearest}-${nearest - 1}*${eased('(on-1)')})`, '0.5', '0.5', { width, height });
    case 'ken-burns': {
      const e = eased('(on-1)');
      return zoom(`(1.06+${(nearest - 1.06).toFixed(2)}*${e})`, `(0.25+0.5*${e})`, `(0.7-0.4*${e})`, { width, height });
    }
  }
}

/**
 * A frame's size at a place of the canvas: whole pixels by `crop`, which a chroma sample is two of, and the rest by `perspective`,
 * whose frames count from 1. The canvas gets an edge on which the last shift may stand.
 */
function shift(
  x: (n: string) => string,
  y: (n: string) => string,
  { width, height }: Size,
  canvas: Size,
): readonly string[] {
  const whole = (position: string) => `2*floor((${position})/2)`;
  const part = (position: string) => `mod(${position},2)`;
  const [dx, dy] = [part(x('(on-1)')), part(y('(on-1)'))];
  return [
    `pad=${canvas.width + margin}:${canvas.height + margin}`,
    `fillborders=right=${margin}:bottom=${margin}:mode=smear`,
    `crop=w=${width + margin}:h=${height + margin}:x='${whole(x('n'))}':y='${whole(y('n'))}'`,
    corners(dx, dy, `W+${dx}`, `H+${dy}`),
    `crop=${width}:${height}:0:0`,
  ];
}

/** The canvas seen `near` times larger, around a place given in parts of what is left over; brought to the frame. */
function zoom(near: string, atX: string, atY: string, { width, height }: Size): readonly string[] {
  const [left, top] = [`(W-W/${near})*${atX}`, `(H-H/${near})*${atY}`];
  return [corners(left, top, `${left}+W/${near}`, `${top}+H/${near}`), `scale=${width}:${height}:flags=bicubic`];
}

function corners(left: string, top: string, right: string, bottom: string): string {
  const places = [left, top, right, top, left, bottom, right, bottom];
  const named = places.map((place, i) => `${i % 2 === 0 ? 'x' : 'y'}${Math.floor(i / 2)}='${place}'`);
  return `perspective=${named.join(':')}:interpolation=cubic:sense=source:eval=frame`;
}

function even(side: number): number {
  return Math.max(2, Math.round(side / 2) * 2);
}

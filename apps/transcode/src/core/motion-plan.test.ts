import { execFileSync } from 'node:child_process';
import { frameRateOf } from '@millrace/ladder';
import { describe, expect, it } from 'vitest';
import { type MotionWish, motionGraph } from './motion-plan.ts';

/** Draws a picture that a filter graph makes, as the worker would; gives its frames as grey pixels. */
function draw(picture: string, given: Partial<MotionWish> & Pick<MotionWish, 'picture'>): readonly Uint8Array[] {
  const wish: MotionWish = {
    ...{ motion: 'still', fill: 'crop', orientation: 1, width: 160, height: 90, rate: frameRateOf(20), frames: 1 },
    ...given,
  };
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', picture, '-filter_complex', motionGraph(wish), '-map', '[moving]'],
      ...['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', '-'],
    ],
    { maxBuffer: 1e9 },
  );
  const size = wish.width * wish.height;
  expect(raw.length).toBe(size * wish.frames);
  return Array.from({ length: wish.frames }, (_, i) => raw.subarray(i * size, (i + 1) * size));
}

/** Where the light is, pixels, in fractions. */
function centre(frame: Uint8Array | undefined, axis: 'x' | 'y', width = 160): number {
  let [sum, weighted] = [0, 0];
  frame?.forEach((value, i) => {
    const light = Math.max(0, value - 60);
    sum += light;
    weighted += light * (axis === 'x' ? i % width : Math.floor(i / width));
  });
  return weighted / sum;
}

const dot = 'color=black:size=480x270,drawbox=x=225:y=120:w=30:h=30:color=white:t=fill';
const dotted = { width: 480, height: 270 };

describe('motion', () => {
  it('a still does not move at all', () => {
    const frames = draw(dot, { picture: dotted, frames: 5 });
    for (const frame of frames) expect(Buffer.compare(frame, frames[0] ?? new Uint8Array())).toBe(0);
  });

  it.each([
    ['pan-right', 'x', -1],
    ['pan-left', 'x', 1],
    ['pan-down', 'y', -1],
    ['pan-up', 'y', 1],
  ] as const)('%s passes over the picture steadily, in steps of less than a pixel', (motion, axis, way) => {
    const frames = draw(dot, { picture: dotted, motion, frames: 60 });
    const places = frames.map((frame) => centre(frame, axis) * way);
    const steps = places.slice(1).map((place, i) => place - (places[i] ?? 0));
    const whole = (places.at(-1) ?? 0) - (places[0] ?? 0);
    expect(whole).toBeCloseTo((motion === 'pan-left' || motion === 'pan-right' ? 160 : 90) * 0.2, 0);
    // the eased middle is pi/2 times the mean; whole pixels would show as steps of 0 and of 1 and more
    expect(Math.min(...steps)).toBeGreaterThan(-0.1);
    expect(Math.max(...steps)).toBeLessThan((Math.PI / 2) * (whole / 59) + 0.2);
    expect(steps.slice(25, 35).every((step) => step > 0.1)).toBe(true);
  });

  it.each(['zoom-in', 'zoom-out'] as const)('%s changes the size of what is seen steadily', (motion) => {
    const frames = draw(dot, { picture: dotted, motion, frames: 20 });
    const sizes = frames.map((frame) => Math.sqrt(frame.reduce((sum, value) => sum + value / 235, 0)));
    const grown = motion === 'zoom-in' ? sizes : [...sizes].reverse();
    expect((grown.at(-1) ?? 0) / (grown[0] ?? 1)).toBeGreaterThan(1.02);
    for (const [i, size] of grown.slice(1).entries()) expect(size).toBeGreaterThan((grown[i] ?? 0) - 0.05);
    expect(centre(frames.at(-1), 'x')).toBeCloseTo(centre(frames[0], 'x'), 0);
  });

  it('Ken Burns moves while it comes nearer', () => {
    const frames = draw(dot, { picture: dotted, motion: 'ken-burns', frames: 20 });
    expect(centre(frames.at(-1), 'x') - centre(frames[0], 'x')).toBeLessThan(-2);
    expect(centre(frames.at(-1), 'y') - centre(frames[0], 'y')).toBeGreaterThan(1);
  });

  it('a pan over a panorama passes all of it', () => {
    const wide =
      'color=black:size=900x180,drawbox=w=20:h=180:color=white:t=fill,drawbox=x=880:w=20:h=180:color=white:t=fill';
    const frames = draw(wide, { picture: { width: 900, height: 180 }, motion: 'pan-right', frames: 12 });
    expect(frames[0]?.[45 * 160 + 2]).toBeGreaterThan(200);
    expect(frames[6]?.[45 * 160 + 80]).toBeLessThan(40);
    expect(frames.at(-1)?.[45 * 160 + 157]).toBeGreaterThan(200);
  });
});

describe('what is shown', () => {
  it('a picture of another shape is cut, or whole over a blurred and darkened copy', () => {
    const tower = 'color=white:size=90x320,drawbox=w=90:h=20:color=black:t=fill';
    const picture = { width: 90, height: 320 };
    const [cut] = draw(tower, { picture, fill: 'crop' });
    expect(Math.min(...(cut ?? []))).toBeGreaterThan(200); // the black edge is cut away
    const [whole] = draw(tower, { picture, fill: 'blur' });
    expect(whole?.[2 * 160 + 80]).toBeLessThan(60);
    expect(whole?.[45 * 160 + 80]).toBeGreaterThan(200);
    expect(whole?.[45 * 160 + 5]).toBeLessThan(190);
  });

  it.each(['crop', 'blur'] as const)('a strip of one pixel is no kilometre of video (%s)', (fill) => {
    for (const [size, picture] of [
      ['4000:1', { width: 4_000, height: 1 }],
      ['1:4000', { width: 1, height: 4_000 }],
    ] as const) {
      const strip = `color=red:size=4000x4000,format=rgb24,crop=${size}`;
      draw(strip, { picture, fill, motion: 'pan-left', frames: 2 });
      draw(strip, { picture, fill, motion: 'zoom-in', frames: 2 });
    }
  });

  it('what can be seen through is black', () => {
    const half = 'color=white:size=160x90,format=rgba,geq=r=255:g=255:b=255:a=if(lt(X\\,80)\\,255\\,0)';
    const [frame] = draw(half, { picture: { width: 160, height: 90 } });
    expect(frame?.[45 * 160 + 20]).toBeGreaterThan(230);
    expect(frame?.[45 * 160 + 140]).toBeLessThan(20);
  });

  it('the picture is turned as its Exif orientation says', () => {
    const corner = 'color=black:size=160x90,drawbox=w=40:h=30:color=white:t=fill';
    const places = ['top left', 'top right', 'bottom right', 'bottom left'];
    for (let orientation = 1; orientation <= 8; orientation++) {
      const [width, height] = orientation >= 5 ? [90, 160] : [160, 90];
      const [frame] = draw(corner, { picture: { width, height }, width, height, orientation });
      const at = `${centre(frame, 'y', width) < height / 2 ? 'top' : 'bottom'} ${centre(frame, 'x', width) < width / 2 ? 'left' : 'right'}`;
      expect(at, `orientation ${orientation}`).toBe(places[(orientation - 1) % 4]);
      // turned by a quarter, the wide box is a high one
      const wide = frame?.[Math.round(centre(frame, 'y', width)) * width + Math.round(centre(frame, 'x', width)) + 17];
      expect((wide ?? 0) > 128, `orientation ${orientation}`).toBe(orientation < 5);
    }
  });
});

import { expect, it } from 'vitest';
import { cutFilter, pictureFilter } from './picture-filter.ts';

const plain = { fieldOrder: 'progressive', colorTransfer: 'bt709' };
const rate = { num: 30_000, den: 1_001 };

it('a cut is frames of a grid from the start of the file, the first one filled up to it', () => {
  expect(cutFilter(plain, { originMs: 1_500, rate, first: 0, end: 90 })).toBe(
    'setpts=PTS-(1.500000)/TB,fps=fps=30000/1001:round=near:start_time=0,trim=start_pts=0:end_pts=90',
  );
  expect(cutFilter(plain, { originMs: 0, rate, first: 90, end: null })).toBe(
    'setpts=PTS-(0.000000)/TB,fps=fps=30000/1001:round=near,trim=start_pts=90',
  );
});

it('fields are woven into pictures before they are counted', () => {
  for (const fieldOrder of ['tt', 'bb', 'tb', 'bt']) {
    expect(cutFilter({ ...plain, fieldOrder }, { originMs: 0, rate, first: 1, end: 2 })).toMatch(/^bwdif=/);
  }
  expect(cutFilter({ ...plain, fieldOrder: undefined }, { originMs: 0, rate, first: 1, end: 2 })).not.toContain(
    'bwdif',
  );
});

it('high dynamic range is mapped, anything else only scaled', () => {
  expect(pictureFilter(plain, 640, 360)).toBe('scale=640:360:flags=bicubic:out_range=tv,setsar=1,format=yuv420p');
  for (const colorTransfer of ['smpte2084', 'arib-std-b67']) {
    expect(pictureFilter({ ...plain, colorTransfer }, 640, 360)).toMatch(
      /^zscale=w=640:h=360.*tonemap=.*format=yuv420p$/,
    );
  }
});

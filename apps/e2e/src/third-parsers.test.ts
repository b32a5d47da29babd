import { aPart, someRenditions } from '@millrace/handover/testing';
import { parseId } from '@millrace/ids';
import { expectOk } from '@millrace/result';
import { describe, expect, it } from 'vitest';
import { parseWithMp4box, timeBreaks } from './third-parsers.ts';

const streamId = expectOk(parseId('str', 'str_01jd0000000000000000000001'), 'id');
const init = someRenditions()[0]?.init ?? new Uint8Array();
const part = (index: number) =>
  Buffer.concat(aPart(streamId, 1, { rendition: 'video', segment: 0, part: index, index }).bytes);
const breaks = (...indexes: readonly number[]) => timeBreaks(parseWithMp4box(init, indexes.map(part)).fragments).length;

describe('mp4box on parts', () => {
  it('reads track and fragments', () => {
    const track = parseWithMp4box(init, [part(0), part(1)]);
    expect(track).toMatchObject({ codec: 'avc1.42c01f', kind: 'video', timescale: 90_000 });
    expect(track.fragments.map(({ dts, duration, samples }) => [dts, duration, samples])).toEqual([
      [0, 18_000, 6],
      [18_000, 18_000, 6],
    ]);
  });

  it('a missing part, a repeated one and two in the wrong order are each seen', () => {
    expect(breaks(0, 1, 2, 3)).toBe(0);
    expect(breaks(0, 1, 3)).toBe(1);
    expect(breaks(0, 1, 1, 2)).toBe(1);
    expect(breaks(0, 2, 1, 3)).toBe(3);
  });

  it('media without an init section is refused', () => {
    expect(() => parseWithMp4box(part(0), [part(1)])).toThrow(/no track/);
  });
});

import { decodeCmcd } from '@svta/cml-cmcd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlayMeasures, quitLine, reportPath, withMeasures } from './cmcd-lines.ts';

const nothing: PlayMeasures = {
  startupMs: undefined,
  starvedCount: 0,
  starvedTotalMs: 0,
  starvedMs: undefined,
  latencyMs: undefined,
  droppedFrames: undefined,
  playheadKbps: undefined,
  topKbps: undefined,
  throughputKbps: undefined,
};
const figure = fc.double({ min: 0, max: 1e9, noNaN: true });
const maybe = fc.option(figure, { nil: undefined });
const measures: fc.Arbitrary<PlayMeasures> = fc.record({
  startupMs: maybe,
  starvedCount: fc.nat(10_000),
  starvedTotalMs: figure,
  starvedMs: maybe,
  latencyMs: maybe,
  droppedFrames: maybe,
  playheadKbps: maybe,
  topKbps: maybe,
  throughputKbps: maybe,
});
const rounded = (value: number | undefined) => (value === undefined ? undefined : Math.round(value));
const listed = (value: number | undefined) => (value === undefined ? undefined : [Math.round(value)]);

describe('a CMCD report with our measurements', () => {
  it('is read by a CMCD decoder as what was measured and what the player wrote', () => {
    fc.assert(
      fc.property(measures, fc.nat(1_000), (m, sn) => {
        const read = decodeCmcd(withMeasures(`e=t,sf=h,sid="a-b",sn=${sn},sta=p,ts=1795293453639,v=2`, m));
        expect(read).toMatchObject({ e: 't', sf: 'h', sid: 'a-b', sta: 'p', ts: 1_795_293_453_639, v: 2 });
        expect(read.sn).toBe(sn);
        expect([read.msd, read.ltc, read.dfa]).toEqual([m.startupMs, m.latencyMs, m.droppedFrames].map(rounded));
        expect([read.bsa, read.bsda, read.bsd, read.pb, read.tpb, read.mtp]).toEqual(
          [m.starvedCount, m.starvedTotalMs, m.starvedMs, m.playheadKbps, m.topKbps, m.throughputKbps].map(listed),
        );
      }),
    );
  });

  it('leaves to the player what the player said itself', () => {
    expect(decodeCmcd(withMeasures('e=t,mtp=(5000),v=2', { ...nothing, throughputKbps: 1 })).mtp).toEqual([5000]);
  });

  it('never carries a figure that is none', () => {
    const line = withMeasures('e=t', { ...nothing, latencyMs: Number.NaN, playheadKbps: -1, topKbps: Infinity });
    expect(line).toBe('e=t,bsa=(0),bsda=(0)');
  });

  it('says that the viewer has left', () => {
    const read = decodeCmcd(quitLine('s1', 7, 1_795_293_453_639, nothing));
    expect(read).toMatchObject({ e: 'ps', sta: 'q', sid: 's1', sn: 7, ts: 1_795_293_453_639, v: 2 });
    expect(read.msd).toBeUndefined();
  });
});

describe('the address of reports', () => {
  it('is the session that the media playlist names', () => {
    const playlist = 'https://host/live/play_1/tok/s/ses_9/video/index.m3u8?_HLS_msn=4';
    expect(reportPath('/live/play_1/tok/index.m3u8', playlist)).toBe('/live/play_1/tok/s/ses_9/cmcd');
  });

  it('is the stream while no session is known', () => {
    expect(reportPath('/live/play_1/index.m3u8', undefined)).toBe('/live/play_1/cmcd');
    expect(reportPath('/live/play_1/tok/index.m3u8?a=/b', 'http://host/live/play_1/tok/video/index.m3u8')).toBe(
      '/live/play_1/tok/cmcd',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { bufferAheadS, type HlsLike, hlsLivePlayer, type MediaLike, wallClockLatencyS } from './hls-player.ts';

function media(currentTime: number, ...ranges: readonly (readonly [number, number])[]): MediaLike {
  const buffered = { length: ranges.length, start: (i: number) => ranges[i]![0], end: (i: number) => ranges[i]![1] };
  return { currentTime, playbackRate: 1, paused: false, seeking: false, ended: false, readyState: 4, buffered };
}
const hls: HlsLike = {
  latestLevelDetails: { edge: 20, age: 0.15, live: true },
  targetLatency: 0.6,
  playingDate: new Date(1_000_000),
};

describe('hls.js as a live player', () => {
  it('measures latency at the moment of asking, age included', () => {
    const player = hlsLivePlayer(hls, media(19.5, [10, 20]));
    expect(player.latencyS).toBeCloseTo(0.65);
    expect(player.targetLatencyS).toBe(0.6);
    expect(player.edgeS).toBe(20);
  });

  it('knows no latency before the first playlist and after the end of the stream', () => {
    expect(hlsLivePlayer({ ...hls, latestLevelDetails: null }, media(0)).latencyS).toBeUndefined();
    const ended = hlsLivePlayer({ ...hls, latestLevelDetails: { edge: 20, age: 9, live: false } }, media(19));
    expect(ended.latencyS).toBeUndefined();
    expect(ended.targetLatencyS).toBeUndefined();
  });

  it('leaves an element alone that is empty or has no frame yet', () => {
    expect(hlsLivePlayer(hls, { ...media(0), readyState: 0 }).latencyS).toBeUndefined();
    const starting = hlsLivePlayer(hls, { ...media(0, [15, 20]), readyState: 1 });
    expect(starting.seeking).toBe(true);
    expect(starting.latencyS).toBeCloseTo(20.15);
  });

  it('counts the buffer ahead over holes that the browser bridges, and no further', () => {
    expect(bufferAheadS(media(5, [0, 6], [6.05, 8], [9, 12]))).toBeCloseTo(3);
    expect(bufferAheadS(media(5, [6, 8]))).toBe(0);
    expect(bufferAheadS(media(5))).toBe(0);
  });

  it('steers the element', () => {
    const element = media(1, [0, 5]);
    const player = hlsLivePlayer(hls, element);
    player.setRate(1.05);
    player.seek(4);
    expect([element.playbackRate, element.currentTime]).toEqual([1.05, 4]);
  });

  it('reads the whole way by PROGRAM-DATE-TIME', () => {
    expect(wallClockLatencyS(hls, 1_000_700)).toBeCloseTo(0.7);
    expect(wallClockLatencyS({ ...hls, playingDate: null }, 5)).toBeUndefined();
  });
});

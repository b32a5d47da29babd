import type { MediaTag } from '@millrace/flv';
import { describe, expect, it } from 'vitest';
import { HealthMonitor } from './health-monitor.ts';

/** Sends `seconds` of 25 fps video and 50 audio frames a second; returns the samples of each second. */
function broadcast(
  seconds: number,
  given: {
    readonly keyframeEveryMs?: number;
    readonly video?: boolean;
    readonly audio?: boolean;
    readonly audioShiftMs?: (nowMs: number) => number;
    readonly bytes?: (nowMs: number) => number;
    readonly shiftMs?: (nowMs: number) => number;
  } = {},
) {
  const monitor = new HealthMonitor(0);
  const samples = [];
  for (let now = 0; now < seconds * 1_000; now += 20) {
    const shift = given.shiftMs?.(now) ?? 0;
    if (given.video !== false && now % 40 === 0) {
      const keyframe = now % (given.keyframeEveryMs ?? 2_000) === 0;
      const payload = new Uint8Array(given.bytes?.(now) ?? 1_000);
      monitor.tag({ kind: 'video-frame', timestampMs: now + shift, compositionMs: 0, keyframe, payload }, now);
    }
    if (given.audio !== false) {
      const tag: MediaTag = {
        kind: 'audio-frame',
        timestampMs: now + shift + (given.audioShiftMs?.(now) ?? 0),
        payload: new Uint8Array(200),
      };
      monitor.tag(tag, now);
    }
    if (now % 1_000 === 980) samples.push(monitor.sample(now + 20, 'live'));
  }
  return samples;
}
const codes = (sample: { warnings: readonly { code: string }[] } | undefined) => sample?.warnings.map((w) => w.code);

describe('the health of a broadcast', () => {
  it('shows bit rates, frames a second and the keyframe interval, and nothing to warn of', () => {
    const last = broadcast(6).at(-1);
    expect(last).toMatchObject({
      video_bps: 200_000,
      audio_bps: 80_000,
      frames_per_second: 25,
      keyframe_interval_s: 2,
      timestamp_gaps: 0,
      warnings: [],
    });
    expect(Math.abs(last?.av_drift_ms ?? 99)).toBeLessThan(5);
  });

  it('shows the frame rate of the encoder, however unevenly the network delivers', () => {
    const monitor = new HealthMonitor(0);
    const frame = (n: number, nowMs: number) =>
      monitor.tag(
        { kind: 'video-frame', timestampMs: n * 40, compositionMs: 0, keyframe: n === 0, payload: new Uint8Array(9) },
        nowMs,
      );
    const rates = [];
    let n = 0;
    for (const [second, arrived] of [25, 10, 40, 25].entries()) {
      for (let i = 0; i < arrived; i++) frame(n++, second * 1_000 + i);
      rates.push(monitor.sample((second + 1) * 1_000, 'live').frames_per_second);
    }
    expect(rates).toEqual([25, 25, 25, 25]);
  });

  it('warns of a long keyframe interval in words for a broadcaster', () => {
    const last = broadcast(20, { keyframeEveryMs: 8_320 }).at(-1);
    expect(last?.warnings).toEqual([
      { code: 'keyframe-interval', message: 'keyframe interval is 8.3 s: set 2 s in OBS, Output' },
    ]);
  });

  it('warns when a track is missing', () => {
    expect(codes(broadcast(5, { audio: false }).at(-1))).toEqual(['no-audio']);
    expect(codes(broadcast(5, { video: false }).at(-1))).toEqual(['no-video']);
    expect(codes(broadcast(2, { audio: false }).at(-1))).toEqual([]);
  });

  it('warns when timestamps jump, once, and not a second later', () => {
    const samples = broadcast(8, { shiftMs: (now) => (now >= 4_000 ? 60_000 : 0) });
    expect(codes(samples[4])).toContain('timestamps-jump');
    expect(samples[4]?.timestamp_gaps).toBe(2);
    expect(codes(samples[6])).not.toContain('timestamps-jump');
  });

  it('warns when audio drifts away from video', () => {
    const last = broadcast(12, { audioShiftMs: (now) => now / 20 }).at(-1);
    expect(codes(last)).toEqual(['av-drift']);
    expect(last?.warnings[0]?.message).toMatch(/^audio is 0\.\d s ahead of video/);
  });

  it('warns when the bit rate goes up and down', () => {
    expect(codes(broadcast(12, { bytes: (now) => (now % 4_000 < 2_000 ? 4_000 : 100) }).at(-1))).toContain(
      'bitrate-unstable',
    );
  });

  it('names a codec that is not taken', () => {
    const monitor = new HealthMonitor(0);
    monitor.leftOut('video "hvc1" (Enhanced RTMP)');
    expect(monitor.sample(1_000, 'live').warnings[0]?.message).toContain('hvc1');
  });
});

import { describe, expect, it } from 'vitest';
import { codecName } from './codec-name.ts';
import { bitrate, relativeTime, runningTime, seconds } from './numbers.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const from = (ms: number) => relativeTime(new Date(now + ms).toISOString(), now);

describe('figures as people read them', () => {
  it('bitrates', () => {
    expect([0, 999, 160_400, 2_512_000, 24_900_000].map(bitrate)).toEqual([
      '0 bit/s',
      '999 bit/s',
      '160 kbit/s',
      '2.5 Mbit/s',
      '25 Mbit/s',
    ]);
  });

  it('durations', () => {
    expect([0.65, 8.25, 59.9, 65.2].map(seconds)).toEqual(['0.7 s', '8.3 s', '59.9 s', '1 min 5 s']);
    expect([-5, 5_000, 245_000, 3_845_999].map(runningTime)).toEqual(['0:00', '0:05', '4:05', '1:04:05']);
  });

  it('times near now', () => {
    expect([-1_000, -300_000, -7_200_000, -86_400_000, -5 * 86_400_000].map(from)).toEqual([
      'just now',
      '5 min ago',
      '2 h ago',
      '1 day ago',
      '5 days ago',
    ]);
    expect([10_000, 3_600_000].map(from)).toEqual(['in a moment', 'in 1 h']);
    expect(from(-40 * 86_400_000)).toContain('2026');
    expect(relativeTime('not a time', now)).toBe('not a time');
  });

  it('codecs', () => {
    expect(['avc1.64001f', 'avc1.42C01E', 'mp4a.40.2', 'hvc1.1.6.L93', 'opus', ''].map(codecName)).toEqual([
      'H.264 High',
      'H.264 Baseline',
      'AAC',
      'HEVC',
      'opus',
      '',
    ]);
  });
});

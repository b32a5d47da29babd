import type { HealthSample } from '@millrace/events';
import { describe, expect, it } from 'vitest';
import { NewestHealth } from './newest-health.ts';

function sample(stream_id: string, epoch: number, at_ms: number): HealthSample {
  return {
    ...{ stream_id, epoch, at_ms, state: 'live', video_bps: 1, audio_bps: 1, frames_per_second: 30 },
    ...{ timestamp_gaps: 0, warnings: [] },
  };
}

describe('the newest health samples', () => {
  it('keep the newest of each stream whatever order they come in', () => {
    const health = new NewestHealth(10, 10_000);
    health.take(sample('a', 1, 200), 0);
    health.take(sample('a', 1, 100), 0);
    expect(health.get('a', 1, 0)?.at_ms).toBe(200);
    health.take(sample('a', 2, 50), 0);
    expect(health.get('a', 1, 0)?.epoch).toBe(2);
  });

  it('never hold more streams than their capacity: the least fresh goes', () => {
    const health = new NewestHealth(2, 10_000);
    for (const id of ['a', 'b', 'a', 'c']) health.take(sample(id, 1, 1), 0);
    expect([health.size, health.get('a', 1, 0)?.stream_id, health.get('b', 1, 0)]).toEqual([2, 'a', undefined]);
  });

  it('show nothing of an earlier epoch and nothing stale', () => {
    const health = new NewestHealth(2, 10_000);
    health.take(sample('a', 1, 1), 0);
    expect(health.get('a', 2, 0)).toBeUndefined();
    expect(health.get('a', 1, 10_000)).toBeDefined();
    expect(health.get('a', 1, 10_001)).toBeUndefined();
  });
});

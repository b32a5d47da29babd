import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

describe('a manual clock', () => {
  it('fires timers in order of their due time, once or repeatedly', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push(`b@${clock.monotonicMs()}`));
    clock.after(10, () => fired.push(`a@${clock.monotonicMs()}`));
    const repeating = clock.every(15, () => fired.push(`r@${clock.monotonicMs()}`));
    await clock.advance(30);
    repeating.cancel();
    await clock.advance(100);
    expect(fired).toEqual(['a@10', 'r@15', 'b@20', 'r@30']);
    expect(clock.pending).toBe(0);
  });

  it('keeps monotonic time when the wall clock jumps', () => {
    const clock = new ManualClock(1000);
    clock.jumpWall(-500);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([500, 0]);
  });
});

describe('sleep', () => {
  it('ends at its time, and at once when aborted, leaving no timer', async () => {
    const clock = new ManualClock();
    let woke = false;
    const slept = sleep(clock, 50).then(() => {
      woke = true;
    });
    await clock.advance(49);
    expect(woke).toBe(false);
    await clock.advance(1);
    await slept;
    const abort = new AbortController();
    const aborted = sleep(clock, 50, abort.signal);
    abort.abort();
    await aborted;
    expect(clock.pending).toBe(0);
  });

  it('runs on the system clock', async () => {
    const before = systemClock.monotonicMs();
    const keepAlive = setTimeout(() => {}, 1000);
    await sleep(systemClock, 5);
    clearTimeout(keepAlive);
    expect(systemClock.monotonicMs()).toBeGreaterThan(before);
  });
});

import { describe, expect, it } from 'vitest';
import { InstanceWatch, type RunningStream } from './instance-watch.ts';

const stream = (streamId: string, instanceId: string, state: RunningStream['state'] = 'live'): RunningStream => ({
  streamId,
  instanceId,
  epoch: 1,
  state,
});

/** A watch whose own sign of life comes every 2 s; `each` is called with each. */
function beats(watch: InstanceWatch, from: number, to: number, each: (nowMs: number) => void = () => {}): void {
  for (let nowMs = from; nowMs <= to; nowMs += 2_000) {
    watch.ownBeat(nowMs);
    each(nowMs);
  }
}

describe('the watch over instances', () => {
  it('ends the streams of an instance that is silent for 10 s, and only those', () => {
    const watch = new InstanceWatch();
    const running = [stream('a', 'gone'), stream('b', 'alive')];
    beats(watch, 0, 0);
    expect(watch.lost(running)).toEqual([]);
    const alive = () => {
      watch.instanceSeen('alive');
      watch.streamHeard('b');
    };
    beats(watch, 2_000, 8_000, alive);
    expect(watch.lost(running)).toEqual([]);
    beats(watch, 10_000, 10_000, alive);
    expect(watch.lost(running).map((one) => one.streamId)).toEqual(['a']);
  });

  it('an outage of the log, in which everybody is silent, ends nobody', () => {
    const watch = new InstanceWatch();
    const running = [stream('a', 'ingest-1')];
    beats(watch, 0, 20_000, () => {
      watch.instanceSeen('ingest-1');
      watch.streamHeard('a');
    });
    expect(watch.lost(running)).toEqual([]);
    watch.ownBeat(300_000); // the first to come through after minutes without a log
    expect(watch.lost(running)).toEqual([]);
    watch.ownBeat(302_000);
    watch.instanceSeen('ingest-1');
    expect(watch.lost(running)).toEqual([]);
  });

  it('a fresh watch gives an unheard instance the whole time', () => {
    const watch = new InstanceWatch();
    beats(watch, 0, 60_000);
    const running = [stream('a', 'ingest-1')];
    expect(watch.lost(running)).toEqual([]);
    beats(watch, 62_000, 68_000);
    expect(watch.lost(running)).toEqual([]);
    beats(watch, 70_000, 70_000);
    expect(watch.lost(running)).toHaveLength(1);
  });

  it('a stream that a restarted instance knows nothing of is ended, an interrupted one gets longer', () => {
    const watch = new InstanceWatch();
    const running = [stream('a', 'ingest-1'), stream('b', 'ingest-1', 'interrupted')];
    watch.lost(running);
    beats(watch, 0, 30_000, () => watch.instanceSeen('ingest-1'));
    expect(watch.lost(running).map((one) => one.streamId)).toEqual(['a']);
    beats(watch, 32_000, 180_000, () => watch.instanceSeen('ingest-1'));
    expect(watch.lost(running).map((one) => one.streamId)).toEqual(['a', 'b']);
  });
});

import { ManualClock } from '@millrace/clock/testing';
import { record } from '@millrace/eventlog';
import { type HealthSample, healthTopic, type LiveStreamFact, liveStreamsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstanceWatch } from '../core/instance-watch.ts';
import { createControlMetrics } from '../metrics.ts';
import { createControlStore } from '../outbound/control-store.ts';
import { openWatchSeat } from '../outbound/watch-seat.ts';
import { collect, openTestControl, type TestControl } from '../testing.ts';
import { watchOnce } from './instance-watcher.ts';
import { createLiveFactHandler } from './live-facts.ts';

interface Detail {
  id: string;
  owner_id: string;
  state: string;
  live_since: string | null;
  health: HealthSample | null;
}

let control: TestControl;
let admin: string;
const metrics = createControlMetrics(openMetricsRegistry({ processMetrics: false }));
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

async function create(): Promise<Detail> {
  return (await control.call<Detail>('POST', '/api/v1/streams', { token: admin, body: { title: 'x' } })).body;
}

function fact(
  stream: Detail,
  type: LiveStreamFact['type'],
  epoch: number,
  more: { key_id?: string } = {},
): LiveStreamFact {
  const common = {
    stream_id: stream.id,
    owner_id: stream.owner_id,
    epoch,
    publish_id: 'pub_1',
    instance_id: 'ingest-9',
  };
  const at_ms = 1_700_000_000_000 + epoch;
  if (type === 'StreamInterrupted') return { ...common, type, at_ms, reason: 'connection-lost', window_ms: 30_000 };
  if (type === 'StreamEnded') return { ...common, type, at_ms, reason: 'encoder-stopped' };
  return { ...common, type, at_ms, key_id: more.key_id ?? 'key_none' };
}

/** Asks until the stream is as expected; the facts come through the real log. */
async function shows(stream: Detail, fits: (detail: Detail) => boolean): Promise<Detail> {
  for (;;) {
    const { body } = await control.call<Detail>('GET', `/api/v1/streams/${stream.id}`, { token: admin });
    if (fits(body)) return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('live states', () => {
  it('a published stream shows live with its start and health, then interrupted, then idle', async () => {
    const stream = await create();
    await control.eventLog.publish([record(liveStreamsTopic, fact(stream, 'StreamPublished', 10))]);
    const live = await shows(stream, (detail) => detail.state === 'live');
    expect(live).toMatchObject({ live_since: new Date(1_700_000_000_010).toISOString(), health: null });
    const sample: HealthSample = {
      ...{ stream_id: stream.id, epoch: 10, at_ms: 1, state: 'live', video_bps: 2_500_000, audio_bps: 128_000 },
      ...{ frames_per_second: 30, timestamp_gaps: 0, warnings: [{ code: 'keyframe-interval', message: 'set 2 s' }] },
    };
    await control.eventLog.publish([record(healthTopic, sample)]);
    expect((await shows(stream, (detail) => detail.health !== null)).health).toEqual(sample);
    await control.eventLog.publish([record(liveStreamsTopic, fact(stream, 'StreamInterrupted', 10))]);
    await shows(stream, (detail) => detail.state === 'interrupted');
    await control.eventLog.publish([record(liveStreamsTopic, fact(stream, 'StreamEnded', 10))]);
    const idle = await shows(stream, (detail) => detail.state === 'idle');
    expect(idle).toMatchObject({ live_since: null, health: null });
  });

  it('a key shows when it was last used, never earlier than it did', async () => {
    const stream = await create();
    const keys = `/api/v1/streams/${stream.id}/keys`;
    const key = (await control.call<{ id: string }>('POST', keys, { token: admin, body: {} })).body.id;
    const store = createControlStore(control.database.sql, control.eventLog);
    const handle = createLiveFactHandler(store, metrics);
    const batch = (epoch: number, offset: bigint) => ({
      records: [{ value: fact(stream, 'StreamPublished', epoch, { key_id: key }), offset }] as never,
    });
    await handle(batch(20, 5n));
    await handle(batch(10, 4n));
    const listed = await control.call<{ items: { last_used_at: string }[] }>('GET', keys, { token: admin });
    expect(listed.body.items[0]?.last_used_at).toBe(new Date(1_700_000_000_020).toISOString());
  });

  it('redelivered and reordered batches leave the same row, and facts of unknown streams are passed over', async () => {
    const stream = await create();
    const store = createControlStore(control.database.sql, control.eventLog);
    const handle = createLiveFactHandler(store, metrics);
    const records = [
      { value: fact(stream, 'StreamPublished', 30), offset: 1n },
      { value: fact(stream, 'StreamEnded', 30), offset: 2n },
      { value: fact(stream, 'StreamPublished', 31), offset: 3n },
      { value: fact({ ...stream, id: `str_${'0'.repeat(26)}` }, 'StreamPublished', 30), offset: 4n },
    ] as never[];
    await handle({ records });
    const row = () => control.database.sql`SELECT * FROM control.live_states WHERE stream_id = ${stream.id}`;
    const before = await row();
    await Promise.all([
      handle({ records }),
      handle({ records: [...records].reverse() }),
      handle({ records: records.slice(0, 2) }),
    ]);
    expect(await row()).toEqual(before);
    expect(before[0]).toMatchObject({ state: 'live', epoch: 31n });
  });

  it('a state survives a restart', async () => {
    const stream = await create();
    await control.eventLog.publish([record(liveStreamsTopic, fact(stream, 'StreamPublished', 40))]);
    await shows(stream, (detail) => detail.state === 'live');
    await control.restart();
    expect((await shows(stream, () => true)).state).toBe('live');
  });
});

describe('the watch over instances', () => {
  it('ends the broadcasts of a silent instance once, with their epoch, and only from one seat', async () => {
    await using own = await openTestControl();
    const token = await own.signIn();
    const made = await own.call<Detail>('POST', '/api/v1/streams', { token, body: { title: 'x' } });
    const store = createControlStore(own.database.sql, own.eventLog);
    await createLiveFactHandler(
      store,
      metrics,
    )({
      records: [{ value: fact(made.body, 'StreamPublished', 50), offset: 1n }] as never,
    });
    await own.service[Symbol.asyncDispose](); // its watcher gives the seat up
    await using seat = openWatchSeat(own.database.sql);
    await using other = openWatchSeat(own.database.sql);
    await using facts = await collect(own.eventLog, liveStreamsTopic);
    const clock = new ManualClock();
    const watch = new InstanceWatch();
    const self = { instance_id: 'control-1', incarnation: 1 };
    const deps = { eventLog: own.eventLog, seat, watch, clock, log: silentLogger, metrics, self, onRound: () => {} };
    const ended = new Map<string, number>();
    for (let nowMs = 0; nowMs <= 14_000; nowMs += 2_000) {
      watch.ownBeat(nowMs);
      await watchOnce(deps, ended);
      expect(await other.running(10)).toBeUndefined();
    }
    const said = await facts.until((record) => record.value?.type === 'StreamEnded');
    expect(said.value).toMatchObject({
      stream_id: made.body.id,
      epoch: 50,
      reason: 'instance-lost',
      instance_id: 'ingest-9',
    });
    expect(facts.records.filter((record) => record.value?.type === 'StreamEnded')).toHaveLength(1);
    await seat[Symbol.asyncDispose]();
    expect(await other.running(10)).toHaveLength(1);
  });
});

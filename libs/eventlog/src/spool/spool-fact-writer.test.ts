import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@millrace/clock/testing';
import {
  type HealthSample,
  healthTopic,
  instancesTopic,
  type LiveStreamFact,
  liveStreamsTopic,
} from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NewRecord } from '../event-log.ts';
import { noObserver } from '../observer.ts';
import { type FactWriterOptions, openFactWriter, SpoolFullError } from './spool-fact-writer.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-spool-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A log that can be away and remembers what it was given, InstanceSeen left out. */
class TestLog {
  away = false;
  readonly records: NewRecord[] = [];
  async publish(records: readonly NewRecord[]): Promise<void> {
    if (this.away) throw new Error('the log is away');
    this.records.push(...records.filter((one) => one.topic.name !== instancesTopic.name));
  }
  get epochs(): number[] {
    return this.records.map((one) => (one.value as LiveStreamFact).epoch);
  }
}

const open = (eventLog: Pick<TestLog, 'publish'>, more: Partial<FactWriterOptions> = {}) =>
  openFactWriter({ dir, eventLog, service: 'ingest', log: silentLogger, drainMs: 50, ...more });
const fact = (epoch: number, reason = 'test'): LiveStreamFact => ({
  ...{ type: 'StreamInterrupted', stream_id: 'str_1', owner_id: 'own_1', publish_id: 'pub_1', instance_id: 'i' },
  ...{ epoch, at_ms: epoch, reason, window_ms: 1 },
});
const health = (at: number): HealthSample => ({
  ...{ stream_id: 'str_1', epoch: 1, at_ms: at, state: 'live', video_bps: 1, audio_bps: 1 },
  ...{ frames_per_second: 30, timestamp_gaps: 0, warnings: [] },
});

it('facts reach the log in the order they were said', async () => {
  const log = new TestLog();
  await using writer = await open(log, { segmentBytes: 500 });
  await Promise.all(Array.from({ length: 50 }, (_, n) => writer.fact(liveStreamsTopic, fact(n + 1))));
  await vi.waitFor(() => expect(log.epochs).toEqual(Array.from({ length: 50 }, (_, n) => n + 1)), { timeout: 10_000 });
  expect(log.records[0]?.source).toBe(writer.instanceId);
});

it('facts said while the log is away are relayed after a restart, with the ids and times they had', async () => {
  const log = new TestLog();
  log.away = true;
  const first = await open(log);
  await first.fact(liveStreamsTopic, fact(1));
  await first.fact(liveStreamsTopic, fact(2));
  await first[Symbol.asyncDispose]();
  log.away = false;
  await using second = await open(log);
  await second.fact(liveStreamsTopic, fact(3));
  await vi.waitFor(() => expect(log.epochs).toEqual([1, 2, 3]), { timeout: 10_000 });
  expect(second.instanceId).toBe(first.instanceId);
  expect(second.incarnation).toBe(first.incarnation + 1);
  expect(new Set(log.records.map((one) => one.id)).size).toBe(3);
});

it('what has been relayed is deleted, so that the spool does not grow', async () => {
  const log = new TestLog();
  await using writer = await open(log, { segmentBytes: 300 });
  for (let n = 1; n <= 40; n++) await writer.fact(liveStreamsTopic, fact(n));
  await vi.waitFor(() => expect(log.epochs).toHaveLength(40), { timeout: 10_000 });
  await vi.waitFor(() => expect(readdirSync(dir).filter((name) => name.endsWith('.spool')).length).toBeLessThan(3));
});

it('a full spool refuses facts, says so, counts them, and takes them again when the log is back', async () => {
  const log = new TestLog();
  log.away = true;
  let refused = 0;
  const metrics = { ...noObserver, factRefused: () => void refused++ };
  await using writer = await open(log, { maxBytes: 1_000, segmentBytes: 400, metrics });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => writer.fact(liveStreamsTopic, fact(n + 1))),
  );
  const rejected = outcomes.filter((one) => one.status === 'rejected');
  expect(rejected.length).toBeGreaterThan(0);
  expect(rejected.every((one) => one.reason instanceof SpoolFullError)).toBe(true);
  expect(refused).toBe(rejected.length);
  log.away = false;
  await vi.waitFor(() => expect(log.epochs).toHaveLength(20 - refused), { timeout: 10_000 });
  await writer.fact(liveStreamsTopic, fact(99));
});

it('a torn end of a spool file is dropped and everything before it is relayed', async () => {
  const log = new TestLog();
  log.away = true;
  const first = await open(log);
  await first.fact(liveStreamsTopic, fact(1));
  await first[Symbol.asyncDispose]();
  const file = readdirSync(dir).find((name) => name.endsWith('.spool')) ?? '';
  appendFileSync(join(dir, file), Buffer.from([0, 0, 0, 90, 1, 2, 3]));
  log.away = false;
  let tails = 0;
  await using second = await open(log, { metrics: { ...noObserver, spoolTailDropped: () => void tails++ } });
  await second.fact(liveStreamsTopic, fact(2));
  await vi.waitFor(() => expect(log.epochs).toEqual([1, 2]), { timeout: 10_000 });
  expect(tails).toBe(1);
});

it('no acknowledged fact is lost and none is out of order over several kill -9', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 3; round++) {
    const script = new URL('./crashing-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', script, dir, String(round * 1_000_000 + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
    });
    await vi.waitFor(() => expect(text.split('\n').length).toBeGreaterThan(200), { timeout: 15_000 });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    acknowledged.push(...text.split('\n').slice(0, -1).map(Number));
  }
  const log = new TestLog();
  await using _writer = await open(log);
  const last = acknowledged.at(-1);
  await vi.waitFor(() => expect(log.epochs).toContain(last), { timeout: 10_000 });
  const relayed = new Set(log.epochs);
  expect(acknowledged.filter((epoch) => !relayed.has(epoch))).toEqual([]);
  expect(log.epochs).toEqual([...log.epochs].sort((a, b) => a - b));
}, 60_000);

it('samples are gathered into one publish and dropped, counted, when there are too many or the log is away', async () => {
  const clock = new ManualClock();
  const log = new TestLog();
  const drops: string[] = [];
  const metrics = {
    ...noObserver,
    samplesDropped: (_service: string, reason: string, n: number) => void drops.push(`${reason} ${n}`),
  };
  const publish = vi.spyOn(log, 'publish');
  const writer = await open(log, { clock, maxSamples: 3, sampleFlushMs: 250, announceEveryMs: 60_000, metrics });
  await clock.advance(250); // the InstanceSeen of the start goes first
  publish.mockClear();
  for (let n = 1; n <= 4; n++) writer.sample(healthTopic, health(n));
  await clock.advance(250);
  expect(publish).toHaveBeenCalledTimes(1);
  expect(log.records.map((one) => (one.value as HealthSample).at_ms)).toEqual([2, 3, 4]);
  log.away = true;
  writer.sample(healthTopic, health(5));
  await clock.advance(250);
  expect(drops).toEqual(['buffer-full 1', 'log-away 1']);
  const closing = writer[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closing;
});

it('samples that come in thousands are sent before the moment is over, and none is dropped while the log takes them', async () => {
  const clock = new ManualClock();
  const log = new TestLog();
  const batches: number[] = [];
  let release: (() => void) | undefined;
  const publish = async (records: readonly NewRecord[]) => {
    batches.push(records.length);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    await log.publish(records);
  };
  const drops: string[] = [];
  const metrics = {
    ...noObserver,
    samplesDropped: (_service: string, reason: string, n: number) => void drops.push(`${reason} ${n}`),
  };
  const writer = await open({ publish }, { clock, maxSamples: 3_000, announceEveryMs: 60_000, metrics });
  for (let n = 1; n <= 2_999; n++) writer.sample(healthTopic, health(n)); // the InstanceSeen of the start is the first
  expect(batches).toEqual([1_000]);
  expect(writer.sampleRoom).toBe(1_000); // one publish at a time: the others wait
  release?.();
  await vi.waitFor(() => expect(batches).toEqual([1_000, 2_000]));
  release?.();
  await vi.waitFor(() => expect(log.records).toHaveLength(2_999));
  expect([writer.sampleRoom, drops]).toEqual([3_000, []]);
  const closing = writer[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closing;
});

it('an instance says every two seconds that it is alive, with its incarnation', async () => {
  const clock = new ManualClock();
  const seen: unknown[] = [];
  const eventLog = {
    publish: async (records: readonly NewRecord[]) => void seen.push(...records.map((one) => one.value)),
  };
  const writer = await open(eventLog, { clock, instanceId: 'ingest-0', sampleFlushMs: 250 });
  await clock.advance(4_300); // at 0, 2,000 and 4,000 ms, each 250 ms on its way
  expect(seen).toHaveLength(3);
  expect(seen[2]).toMatchObject({ instance_id: 'ingest-0', incarnation: 1, service: 'ingest' });
  const closing = writer[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closing;
});

it('a fact that its topic refuses is a bug and is told at once', async () => {
  const log = new TestLog();
  await using writer = await open(log);
  await expect(writer.fact(liveStreamsTopic, { ...fact(1), epoch: 1.5 })).rejects.toThrow(/does not fit its schema/);
});

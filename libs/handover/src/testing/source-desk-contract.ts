import type { MediaTag } from '@millrace/flv';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim, ClaimLoss, ParkedWorkers, SourceDesk } from '../source-port.ts';
import { anAssignment } from './assignment.ts';
import { createRecordingWorker, type RecordedSource, type RecordingWorker } from './recording-worker.ts';

/** One adapter pair under test, on a clock that only `advance` moves. */
export interface SourceDeskHarness extends AsyncDisposable {
  readonly desk: SourceDesk;
  readonly workers: ParkedWorkers;
  /** Moves the clock and lets bytes that are under way arrive. */
  advance(ms: number): Promise<void>;
  /** Waits, in real time and at most 5 s, until `condition` holds. */
  until(condition: () => boolean, what: string): Promise<void>;
}

const record = Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68);

/** One tag of each kind, as an encoder with B-frames sends them after 50 days. */
const everyKind: readonly MediaTag[] = [
  { kind: 'data', timestampMs: 4_400_000_000, payload: Uint8Array.of(2, 0, 1, 0x61, 5) },
  { kind: 'video-config', codec: 'avc', timestampMs: 4_400_000_000, record },
  { kind: 'audio-config', codec: 'aac', timestampMs: 4_400_000_000, record: Uint8Array.of(0x12, 0x10) },
  {
    kind: 'video-frame',
    timestampMs: 4_400_000_010,
    compositionMs: 66,
    keyframe: true,
    payload: new Uint8Array(100_000).fill(7),
  },
  { kind: 'audio-frame', timestampMs: 4_400_000_011, payload: Uint8Array.of(0x21, 0x10, 4) },
  {
    kind: 'video-frame',
    timestampMs: 4_400_000_043,
    compositionMs: -33,
    keyframe: false,
    payload: Uint8Array.of(0, 0, 0, 1, 0x41),
  },
  { kind: 'end-of-sequence', track: 'video', timestampMs: 4_400_000_050 },
];

/** What every pair of a desk and its parked workers must do. */
export function defineSourceDeskContract(name: string, openHarness: () => Promise<SourceDeskHarness>): void {
  describe(`${name}: the port between ingest and transcode`, () => {
    let harness: SourceDeskHarness;
    beforeEach(async () => {
      harness = await openHarness();
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    const park = async (workerId: string, slots = 1) => {
      const worker = createRecordingWorker();
      const before = harness.workers.idle;
      const parking = harness.desk.park({ workerId, slots, accept: worker.accept });
      await harness.until(() => harness.workers.idle === before + slots, `${workerId} parks`);
      return { worker, parking };
    };

    const assign = async (worker: RecordingWorker, firstTimestampMs = 0) => {
      const losses: [ClaimLoss, string][] = [];
      const heartbeats: (number | undefined)[] = [];
      const told = { losses, heartbeats, drains: 0 };
      const count = worker.sources.length;
      const claim = expectOk(
        harness.workers.assign(anAssignment({ firstTimestampMs }), {
          onLost: (loss, detail) => void losses.push([loss, detail]),
          onDrain: () => void told.drains++,
          onHeartbeat: (ms) => void heartbeats.push(ms),
        }),
        'assign',
      );
      await harness.until(() => worker.sources.length > count, 'the worker accepts');
      return { claim, source: worker.sources[count]!, told };
    };

    const frame = (timestampMs: number, bytes = 10): MediaTag => ({
      kind: 'audio-frame',
      timestampMs,
      payload: new Uint8Array(bytes),
    });

    const sees = (source: RecordedSource, count: number) =>
      harness.until(() => source.seen.length >= count, `${count} calls arrive, got ${source.seen.length}`);

    const endInOrder = async (claim: Claim, source: RecordedSource) => {
      const before = source.seen.length;
      claim.end('ended');
      await sees(source, before + 1);
    };

    it('gives a source to the worker that has waited longest', async () => {
      const first = await park('worker-a');
      const second = await park('worker-b');
      const { claim } = await assign(first.worker);
      expect(claim.workerId).toBe('worker-a');
      expect(second.worker.sources).toHaveLength(0);
      expect(harness.workers.idle).toBe(1);
    });

    it('spreads sources over the workers that wait, however many slots each has', async () => {
      const first = await park('worker-a', 3);
      const second = await park('worker-b', 2);
      const { workers } = harness;
      const events = { onLost: () => {}, onDrain: () => {} };
      const takers = Array.from(
        { length: 5 },
        () => expectOk(workers.assign(anAssignment(), events), 'assign').workerId,
      );
      expect(takers).toEqual(['worker-a', 'worker-b', 'worker-a', 'worker-b', 'worker-a']);
      await harness.until(() => first.worker.sources.length === 3, 'worker-a has three');
      await harness.until(() => second.worker.sources.length === 2, 'worker-b has two');
    });

    it('says no-worker when nobody waits, and tells the listener when someone parks', async () => {
      const events = { onLost: () => {}, onDrain: () => {} };
      expect(harness.workers.assign(anAssignment(), events)).toEqual({ ok: false, error: { kind: 'no-worker' } });
      let parked = 0;
      const stop = harness.workers.onParked(() => void parked++);
      await park('worker-a');
      await harness.until(() => parked === 1, 'the listener is called');
      stop();
      await park('worker-b');
      await harness.advance(10);
      expect(parked).toBe(1);
    });

    it('hands over the assignment and every kind of tag unchanged and in order', async () => {
      const { worker } = await park('worker-a');
      const { claim, source } = await assign(worker, 4_400_000_000);
      expect(source.assignment).toEqual(anAssignment({ firstTimestampMs: 4_400_000_000 }));
      for (const tag of everyKind) claim.tag(tag);
      claim.interrupted();
      claim.tag(frame(4_400_000_060));
      claim.end('superseded');
      await sees(source, everyKind.length + 3);
      expect(source.seen).toEqual([...everyKind, 'interrupted', frame(4_400_000_060), 'superseded']);
    });

    it('keeps a claim as long as heartbeats come, and passes on what was packaged', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      source.link.heartbeat(undefined);
      for (let beat = 1; beat <= 12; beat++) {
        await harness.advance(250);
        source.link.heartbeat(beat * 250);
        await harness.until(() => told.heartbeats.length === beat + 1, 'the heartbeat arrives');
      }
      expect(told.heartbeats.slice(0, 3)).toEqual([undefined, 250, 500]);
      expect(told.losses).toEqual([]);
      await endInOrder(claim, source);
    });

    it('takes the source from a worker that is silent for 1.5 s, once, and tells both sides', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      await harness.advance(1_400);
      expect(told.losses).toEqual([]);
      await harness.advance(200);
      await harness.until(() => told.losses.length === 1, 'ingest is told');
      expect(told.losses[0]?.[0]).toBe('worker-silent');
      await sees(source, 1);
      claim.tag(frame(1));
      claim.end('ended');
      await harness.advance(100);
      expect(source.seen).toEqual(['lost']);
      expect(told.losses).toHaveLength(1);
    });

    it('takes back a source that its worker releases, with the reason, and calls the worker no more', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      source.link.release('the codec is unknown: "hvc1"');
      source.link.heartbeat(5);
      await harness.until(() => told.losses.length === 1, 'ingest is told');
      expect(told.losses).toEqual([['worker-released', 'the codec is unknown: "hvc1"']]);
      claim.tag(frame(1));
      await harness.advance(50);
      expect(source.seen).toEqual([]);
      expect(told.heartbeats).toEqual([]);
    });

    it('takes the source from a worker whose handler throws, and offers it a new one only after a pause', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      source.failure = new Error('a bug of the worker');
      claim.tag(frame(1));
      await harness.until(() => told.losses.length === 1, 'ingest is told');
      expect(told.losses[0]?.[0]).toBe('worker-disconnected');
      await sees(source, 1);
      expect(source.seen).toEqual(['lost']);
      expect(harness.workers.idle).toBe(0);
      await harness.advance(300);
      await harness.until(() => harness.workers.idle === 1, 'the worker parks again');
    });

    it('parks a slot again after an end, and never reports a loss for it', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      await endInOrder(claim, source);
      await harness.until(() => harness.workers.idle === 1, 'the slot parks again');
      await harness.advance(3_000);
      expect(source.seen).toEqual(['ended']);
      expect(told.losses).toEqual([]);
      await assign(worker);
    });

    it('holds as many sources at once as it has slots', async () => {
      const { worker } = await park('worker-a', 3);
      for (let i = 0; i < 3; i++) await assign(worker);
      expect(harness.workers.idle).toBe(0);
      expect(worker.sources).toHaveLength(3);
    });

    it('answers false when the worker is behind, and says when it is ready again', async () => {
      const { worker } = await park('worker-a');
      const { claim, source, told } = await assign(worker);
      source.ready = false;
      let sent = 0;
      let answer = true;
      while (answer && sent < 10_000) {
        answer = claim.tag(frame(sent++, 10_000));
        if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(answer).toBe(false);
      const seenWhileBehind = source.seen.length;
      expect(seenWhileBehind).toBe(1);
      expect(told.drains).toBe(0);
      source.ready = true;
      source.link.resume();
      await harness.until(() => told.drains === 1, 'ingest is told');
      await sees(source, sent);
      expect(source.seen.map((call) => typeof call === 'object' && call.timestampMs)).toEqual(
        Array.from({ length: sent }, (_, i) => i),
      );
    });

    it('lets a worker leave the queue and keep the source it holds', async () => {
      const { worker, parking } = await park('worker-a', 2);
      const { claim, source, told } = await assign(worker);
      await parking[Symbol.asyncDispose]();
      await harness.until(() => harness.workers.idle === 0, 'the queue is empty');
      claim.tag(frame(1));
      await sees(source, 1);
      await endInOrder(claim, source);
      await harness.advance(500);
      expect(harness.workers.idle).toBe(0);
      expect(told.losses).toEqual([]);
    });
  });
}

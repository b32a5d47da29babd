import { Duplex } from 'node:stream';
import { ManualClock } from '@millrace/clock/testing';
import { encodeControlTag, FlvReader, type MediaTag } from '@millrace/flv';
import { beforeEach, describe, expect, it } from 'vitest';
import { SourceClaim } from './source-claim.ts';
import { anAssignment } from './testing/assignment.ts';

/** A socket that takes bytes only when the test says so, and counts what would be system calls. */
class Pipe extends Duplex {
  writes = 0;
  readonly taken: Buffer[] = [];
  stuck = false;
  #waiting: (() => void) | undefined;

  override _read(): void {}
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#take([bytes], done);
  }
  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }
  unstick(): void {
    this.stuck = false;
    this.#waiting?.();
  }
  #take(chunks: readonly Buffer[], done: () => void): void {
    this.writes++;
    this.taken.push(...chunks);
    if (this.stuck) this.#waiting = done;
    else done();
  }
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a claim over a connection', () => {
  let pipe: Pipe;
  let clock: ManualClock;
  let losses: string[];
  let drains: number;
  let claim: SourceClaim;
  const frame = (timestampMs: number, bytes: number): MediaTag => ({
    kind: 'audio-frame',
    timestampMs,
    payload: new Uint8Array(bytes),
  });

  beforeEach(async () => {
    pipe = new Pipe();
    clock = new ManualClock();
    losses = [];
    drains = 0;
    claim = new SourceClaim({
      workerId: 'worker-a',
      socket: pipe,
      assignment: anAssignment(),
      clock,
      buffer: { softBytes: 20_000, hardBytes: 60_000 },
      events: { onLost: (loss) => void losses.push(loss), onDrain: () => void drains++ },
      onOver: () => {},
    });
    await turn();
    pipe.writes = 0;
    pipe.taken.length = 0;
  });

  it('sends all tags of one turn of the event loop in one write', async () => {
    for (let i = 0; i < 100; i++) claim.tag(frame(i, 100));
    await turn();
    expect(pipe.writes).toBe(1);
    expect(pipe.taken.length).toBeGreaterThan(200);
  });

  it('answers false above the soft bound, and says when the worker has caught up', async () => {
    pipe.stuck = true;
    expect(claim.tag(frame(0, 15_000))).toBe(true);
    expect(claim.tag(frame(1, 15_000))).toBe(false);
    await turn();
    expect(drains).toBe(0);
    pipe.unstick();
    await turn();
    expect(drains).toBe(1);
    expect(claim.tag(frame(2, 100))).toBe(true);
  });

  it('gives a worker up that lets more than the hard bound pile up, although it still shows signs of life', async () => {
    pipe.stuck = true;
    for (let i = 0; i < 10; i++) {
      claim.received(Buffer.from('{"packaged_ms":1}\n'));
      claim.tag(frame(i, 15_000));
    }
    expect(losses).toEqual([]);
    await turn();
    expect(losses).toEqual(['worker-disconnected']);
    expect(pipe.destroyed).toBe(true);
  });

  it('a publisher cannot put words into its mouth: script data that looks like ours is dropped', async () => {
    claim.tag(encodeControlTag('ended', 5));
    claim.tag(frame(6, 10));
    await turn();
    const header = Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0);
    const read = new FlvReader().feed(Buffer.concat([header, ...pipe.taken]));
    expect(read).toEqual({ ok: true, value: [frame(6, 10)] });
  });

  it('a quiet source shows a sign of life each second, a busy one needs none', async () => {
    claim.tick(); // the first tick after the assignment
    claim.tag(frame(1, 10));
    claim.tick();
    await turn();
    expect(pipe.writes).toBe(1);
    claim.tick();
    await turn();
    expect(pipe.writes).toBe(2);
  });

  it('a line that is not ours, or endless, loses the claim', async () => {
    claim.received(Buffer.from('{"packaged_ms":'));
    claim.received(Buffer.from('12}\n{"unpack":1}\n'));
    await turn();
    expect(losses).toEqual(['worker-disconnected']);
  });

  it('a stall of ingest itself costs no claim: heartbeats that wait unread are read first', async () => {
    const late = new ManualClock();
    let told = 0;
    let timer = () => {};
    let nowMs = 0;
    const stalled = {
      ...late,
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      every: late.every.bind(late),
      after: (_ms: number, callback: () => void) => {
        timer = callback;
        return { cancel: () => {} };
      },
    };
    const socket = new Pipe();
    const held = new SourceClaim({
      workerId: 'worker-a',
      socket,
      assignment: anAssignment(),
      clock: stalled,
      buffer: { softBytes: 1, hardBytes: 1_000_000 },
      events: { onLost: () => void told++, onDrain: () => {} },
      onOver: () => {},
    });
    nowMs = 3_000; // the process stood still: the timer of 1.5 s fires 1.5 s late
    timer();
    held.received(Buffer.from('{"packaged_ms":null}\n'));
    nowMs = 3_250;
    timer();
    await turn();
    expect(told).toBe(0);
    nowMs = 4_500;
    timer();
    await turn();
    expect(told).toBe(1);
  });
});

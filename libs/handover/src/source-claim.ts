import type { Duplex } from 'node:stream';
import type { Clock } from '@millrace/clock';
import { encodeControlTag, FlvWriter, type MediaTag, parseControlTag } from '@millrace/flv';
import { ClaimLease } from './claim-lease.ts';
import { LineReader } from './line-reader.ts';
import type { Claim, ClaimEvents, ClaimLoss, SourceAssignment, SourceEnd } from './source-port.ts';
import {
  assignmentHeader,
  claimProtocol,
  type DownWord,
  decodeUpLine,
  encodeAssignment,
  maxLineBytes,
} from './source-wire.ts';

/** How long a worker may take to hang up after an end, ms. */
const goodbyeMs = 2_000;

/** Bytes that may wait for one worker. Above `soft`, `tag` answers false; above `hard`, the claim is lost. */
export interface ClaimBuffer {
  readonly softBytes: number;
  readonly hardBytes: number;
}

/** A source that a worker holds over an upgraded connection. */
export class SourceClaim implements Claim {
  readonly workerId: string;
  readonly #socket: Duplex;
  readonly #events: ClaimEvents;
  readonly #buffer: ClaimBuffer;
  readonly #clock: Clock;
  readonly #onOver: (how: ClaimLoss | 'overrun' | 'ended') => void;
  readonly #lease: ClaimLease;
  readonly #writer = new FlvWriter();
  readonly #lines = new LineReader(maxLineBytes);
  #over = false;
  #corked = false;
  #wrote = false;
  /** The worker asked to hold tags back. */
  #paused = false;
  /** `tag` answered false and ingest waits for `onDrain`. */
  #awaited = false;
  /** A loss that ingest has not been told of yet: it is told in a microtask, never inside its own call. */
  #untold: { readonly loss: ClaimLoss; readonly detail: string } | undefined;
  #lastTimestampMs: number;

  constructor(given: {
    readonly workerId: string;
    readonly socket: Duplex;
    readonly assignment: SourceAssignment;
    readonly events: ClaimEvents;
    readonly buffer: ClaimBuffer;
    readonly clock: Clock;
    /** Called once when the claim is over, with how. */
    readonly onOver: (how: ClaimLoss | 'overrun' | 'ended') => void;
  }) {
    this.workerId = given.workerId;
    this.#socket = given.socket;
    this.#events = given.events;
    this.#buffer = given.buffer;
    this.#clock = given.clock;
    this.#onOver = given.onOver;
    this.#lastTimestampMs = given.assignment.firstTimestampMs;
    this.#lease = new ClaimLease(given.clock, () => this.#lose('worker-silent', 'no heartbeat for 1.5 s'));
    this.#write([
      Buffer.from(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n' +
          `Upgrade: ${claimProtocol}\r\n${assignmentHeader}: ${encodeAssignment(given.assignment)}\r\n\r\n`,
      ),
      this.#writer.header({ video: true, audio: true }),
    ]);
    this.#socket.on('drain', () => this.#drained());
  }

  tag(tag: MediaTag): boolean {
    // A publisher may send any script data; only ingest's own words may look like ours.
    if (this.#over || parseControlTag(tag) !== undefined) return true;
    this.#lastTimestampMs = tag.timestampMs;
    this.#write(this.#writer.tag(tag));
    const waiting = this.#socket.writableLength;
    if (waiting > this.#buffer.hardBytes) {
      this.#lose(
        'worker-disconnected',
        `${waiting} bytes wait for the worker, at most ${this.#buffer.hardBytes}`,
        true,
      );
      return true;
    }
    if (!this.#paused && waiting <= this.#buffer.softBytes) return true;
    this.#awaited = true;
    return false;
  }

  interrupted(): void {
    if (!this.#over) this.#say('interrupted');
  }

  end(reason: Exclude<SourceEnd, 'lost'>): void {
    this.#untold = undefined;
    if (this.#over) return;
    this.#say(reason);
    this.#finish('ended');
    this.#socket.end();
    this.#clock.after(goodbyeMs, () => this.#socket.destroy());
  }

  /** Bytes from the worker. */
  received(bytes: Uint8Array): void {
    const lines = this.#lines.feed(bytes);
    if (!lines.ok) return this.#lose('worker-disconnected', lines.error.message);
    for (const text of lines.value) {
      if (this.#over) return;
      this.#heard(text);
    }
  }

  /** The connection closed. */
  closed(detail: string): void {
    this.#lose('worker-disconnected', detail);
  }

  /** Called each second: a sign of life when nothing else was sent. */
  tick(): void {
    if (!this.#over && !this.#wrote && this.#socket.writableLength === 0) this.#say('ping');
    this.#wrote = false;
  }

  #heard(text: string): void {
    const line = decodeUpLine(text);
    if (line === undefined) return this.#lose('worker-disconnected', `not a line of ours: ${text.slice(0, 80)}`);
    this.#lease.renew();
    switch (line.kind) {
      case 'heartbeat':
        return this.#events.onHeartbeat?.(line.lastPackagedMs);
      case 'paused':
        this.#paused = true;
        return;
      case 'resumed':
        this.#paused = false;
        if (this.#socket.writableLength <= this.#buffer.softBytes) this.#drained();
        return;
      case 'released':
        return this.#lose('worker-released', line.reason);
    }
  }

  #drained(): void {
    if (this.#over || this.#paused || !this.#awaited) return;
    this.#awaited = false;
    this.#events.onDrain();
  }

  #say(word: DownWord): void {
    this.#write(this.#writer.tag(encodeControlTag(word, this.#lastTimestampMs)));
  }

  /** All writes of one turn of the event loop leave in one system call. */
  #write(slices: readonly Uint8Array[]): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#wrote = true;
    for (const slice of slices) this.#socket.write(slice);
  }

  #lose(loss: ClaimLoss, detail: string, overrun = false): void {
    if (this.#over) return;
    this.#finish(overrun ? 'overrun' : loss);
    this.#socket.destroy();
    this.#untold = { loss, detail };
    queueMicrotask(() => {
      const untold = this.#untold;
      this.#untold = undefined;
      if (untold) this.#events.onLost(untold.loss, untold.detail);
    });
  }

  #finish(how: ClaimLoss | 'overrun' | 'ended'): void {
    this.#over = true;
    this.#lease.end();
    this.#onOver(how);
  }
}

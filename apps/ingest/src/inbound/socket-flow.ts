/**
 * A socket with the few things that a connection does to it: read with rests and pauses, write within a bound, and close so
 * that the last words arrive.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@millrace/clock';
import type { ReadCoalescer, Restable } from './read-coalescer.ts';

/** Unsent bytes beyond which a peer is not reading. */
const maxUnsentBytes = 262_144;
/** How long a closing socket may take to read our last words, ms. */
const lingerMs = 1_000;

export interface SocketFlowEvents {
  data(bytes: Uint8Array): void;
  /** The peer closed, or the socket failed. Called once. */
  closed(): void;
  /** The peer does not read what it is told. */
  stuffed(): void;
}

export class SocketFlow implements Restable {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #coalescer: ReadCoalescer;
  readonly #events: SocketFlowEvents;
  #resting = false;
  #paused = false;
  #closing = false;
  #linger: Timer | undefined;

  constructor(socket: Socket, clock: Clock, coalescer: ReadCoalescer, events: SocketFlowEvents) {
    this.#socket = socket;
    this.#clock = clock;
    this.#coalescer = coalescer;
    this.#events = events;
    socket.on('data', (bytes: Buffer) => {
      if (this.#closing) return; // read and forgotten, so that closing does not reset the connection
      this.#coalescer.read(this);
      this.#events.data(bytes);
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.#linger?.cancel();
      this.#coalescer.forget(this);
      this.#events.closed();
    });
  }

  get paused(): boolean {
    return this.#paused;
  }

  write(bytes: Uint8Array): void {
    if (this.#closing || this.#socket.destroyed) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > maxUnsentBytes) this.#events.stuffed();
  }

  /** Stops reading until `resume`: the peer's TCP window fills. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  rest(): void {
    this.#resting = true;
    this.#socket.pause();
  }

  wake(): void {
    this.#resting = false;
    this.#flow();
  }

  /** Sends what was written, then closes. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#resting = false;
    this.#paused = false;
    this.#socket.end();
    this.#socket.resume();
    this.#linger = this.#clock.after(lingerMs, () => this.destroy());
  }

  destroy(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #flow(): void {
    if (!this.#resting && !this.#paused) this.#socket.resume();
  }
}

/**
 * A socket with the few things that a connection does to it: read with rests and pauses, write within a bound, and close so
 * that the last words arrive.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@millrace/clock';
import type { ByteSource } from './byte-source.ts';
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
  #reading = true;
  #closing = false;
  #linger: Timer | undefined;

  constructor(source: ByteSource, clock: Clock, coalescer: ReadCoalescer, events: SocketFlowEvents) {
    const { socket } = source;
    this.#socket = socket;
    this.#clock = clock;
    this.#coalescer = coalescer;
    this.#events = events;
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.#linger?.cancel();
      this.#coalescer.forget(this);
      this.#events.closed();
    });
    source.onBytes((bytes) => {
      if (this.#closing) return; // read and forgotten, so that closing does not reset the connection
      this.#coalescer.read(this);
      this.#events.data(bytes);
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
    this.#apply();
  }

  resume(): void {
    this.#paused = false;
    this.#apply();
  }

  rest(): void {
    this.#resting = true;
    this.#apply();
  }

  wake(): void {
    this.#resting = false;
    this.#apply();
  }

  /** Sends what was written, then closes. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#resting = false;
    this.#paused = false;
    this.#apply();
    this.#socket.end();
    this.#linger = this.#clock.after(lingerMs, () => this.destroy());
  }

  destroy(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  /**
   * Starts or stops reading at the handle. A paused stream of Node's would go on reading into its own buffer, one system
   * call and one allocation a packet, which is what resting is to save; the stream itself stays in flowing mode.
   */
  #apply(): void {
    const reading = !this.#resting && !this.#paused;
    const handle = handleOf(this.#socket);
    if (reading === this.#reading || this.#socket.destroyed) return;
    this.#reading = reading;
    if (handle === undefined) return void (reading ? this.#socket.resume() : this.#socket.pause());
    if (reading) handle.readStart();
    else handle.readStop();
  }
}

interface StreamHandle {
  readStart(): void;
  readStop(): void;
}

/** Node's handle below a socket, if this version has it as the ones we know do. */
function handleOf(socket: Socket): StreamHandle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isStreamHandle(handle) ? handle : undefined;
}

function isStreamHandle(handle: unknown): handle is StreamHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'readStart' in handle &&
    typeof handle.readStart === 'function' &&
    'readStop' in handle &&
    typeof handle.readStop === 'function'
  );
}

/**
 * How far apart the answers of one blocked reload arrive when many viewers wait for the same part. Plain sockets and no HTTP
 * client, so that the measuring side costs little.
 */
import { connect, type Socket } from 'node:net';
import { mediaPlaylistsOf, nextPosition, reloadQuery } from './media-position.ts';
import { percentile } from './percentile.ts';

export interface JitterResult {
  readonly waiters: number;
  readonly rounds: number;
  /** From the first answer of a round to the others, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** Holds `waiters` reloads open for the same part, `rounds` times. */
export async function measureJitter(hlsUrl: string, waiters: number, rounds: number): Promise<JitterResult> {
  const multivariant = await (await fetch(hlsUrl)).text();
  const media = mediaPlaylistsOf(multivariant, hlsUrl)[0];
  if (!media) throw new Error(`${hlsUrl} lists no media playlist`);
  const url = new URL(media);
  const seats = await Promise.all(Array.from({ length: waiters }, () => Seat.open(url)));
  const spreads: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const next = nextPosition(await (await fetch(url)).text());
      // Two parts ahead, so that every seat is waiting when the part comes.
      const query = reloadQuery({ ...next, part: next.part + 1 });
      const times = await Promise.all(seats.map((seat) => seat.ask(url, query)));
      const first = times.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
      for (const at of times) spreads.push(at - first);
    }
  } finally {
    for (const seat of seats) seat.close();
  }
  return {
    waiters,
    rounds,
    p50: percentile(spreads, 0.5),
    p99: percentile(spreads, 0.99),
    worst: percentile(spreads, 1),
  };
}

/** One keep-alive connection with one request at a time. */
class Seat {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #answered: ((at: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the server closed a waiting connection')));
  }

  static open(url: URL): Promise<Seat> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname, () => resolve(new Seat(socket)));
      socket.setNoDelay(true);
      socket.once('error', reject);
    });
  }

  /** Sends a request; resolves with the time at which its answer was complete. */
  ask(url: URL, query: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(`GET ${url.pathname}${query} HTTP/1.1\r\nhost: ${url.host}\r\naccept-encoding: gzip\r\n\r\n`);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(length)) {
      this.#failed?.(new Error(`expected 200 with a content-length, got ${head.slice(0, 200)}`));
      return;
    }
    if (this.#received.length < end + 4 + length) return;
    this.#received = Buffer.alloc(0);
    this.#answered?.(performance.now());
  }
}

/**
 * Fewer, larger reads. A socket that delivers each frame of an encoder by itself costs a system call, a buffer and a turn
 * of the event loop for a few kilobytes; with many publishers that is most of this process's work. Above a rate of reads
 * in the whole process, a socket rests after each read and one shared timer wakes all of them.
 */
import type { Clock, Timer } from '@millrace/clock';

export interface Restable {
  /** Stops reading; what arrives waits in the kernel. */
  rest(): void;
  wake(): void;
}

export interface CoalescerOptions {
  readonly clock: Clock;
  /** Reads a second in the process above which sockets rest. 0: always; Infinity: never. */
  readonly aboveReadsPerSecond: number;
  /** Time between two wakings, ms: what is added to the latency at most. */
  readonly tickMs: number;
  readonly onRest: () => void;
}

const judgedEveryMs = 500;

export class ReadCoalescer implements Disposable {
  readonly #options: CoalescerOptions;
  readonly #resting = new Set<Restable>();
  readonly #judge: Timer;
  #tick: Timer | undefined;
  #reads = 0;
  #on: boolean;

  constructor(options: CoalescerOptions) {
    this.#options = options;
    this.#on = options.aboveReadsPerSecond === 0;
    this.#judge = options.clock.every(judgedEveryMs, () => this.#decide());
  }

  get on(): boolean {
    return this.#on;
  }

  /** A socket was read; it may be put to rest until the next tick. */
  read(socket: Restable): void {
    this.#reads++;
    if (!this.#on) return;
    this.#options.onRest();
    socket.rest();
    this.#resting.add(socket);
    this.#tick ??= this.#options.clock.after(this.#options.tickMs, () => this.#wakeAll());
  }

  /** The socket is closed. */
  forget(socket: Restable): void {
    this.#resting.delete(socket);
  }

  [Symbol.dispose](): void {
    this.#judge.cancel();
    this.#tick?.cancel();
    this.#wakeAll();
  }

  #wakeAll(): void {
    this.#tick = undefined;
    const woken = [...this.#resting];
    this.#resting.clear();
    for (const socket of woken) socket.wake();
  }

  /** On above the rate; off again when the coalesced reads come from so few sockets that it is not worth the wait. */
  #decide(): void {
    const perSecond = (this.#reads * 1_000) / judgedEveryMs;
    this.#reads = 0;
    const limit = this.#options.aboveReadsPerSecond;
    if (limit > 0) this.#on = perSecond > (this.#on ? limit / 4 : limit);
  }
}

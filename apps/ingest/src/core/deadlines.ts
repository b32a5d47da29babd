/** The clock of one connection: how long it may take to shake hands, to publish, and to stay silent. */
import { type GuardFault, guardFault } from './guard-fault.ts';

export interface DeadlineLimits {
  readonly handshakeMs: number;
  /** From the connection to an accepted publish, without the time of our own key check. */
  readonly publishMs: number;
  /** Without audio or video while publishing. */
  readonly idleMs: number;
  /** Between two pings of ours. */
  readonly pingMs: number;
}

/** A worker that is alive and takes nothing for so long will not: the encoder should connect anew. */
const longestPauseMs = 30_000;

export class Deadlines {
  readonly #limits: DeadlineLimits;
  readonly #openedMs: number;
  #checking = false;
  #publishing = false;
  #paused = false;
  #mediaMs = 0;
  #pingedMs: number;

  /** All times are monotonic, ms. */
  constructor(limits: DeadlineLimits, nowMs: number) {
    this.#limits = limits;
    this.#openedMs = nowMs;
    this.#pingedMs = nowMs;
  }

  /** The key is being checked: that time is ours, not the peer's. */
  checking(): void {
    this.#checking = true;
  }

  publishing(nowMs: number): void {
    this.#publishing = true;
    this.#mediaMs = nowMs;
  }

  media(nowMs: number): void {
    this.#mediaMs = nowMs;
  }

  /** We do not read: its silence is ours. */
  paused(paused: boolean, nowMs: number): void {
    this.#paused = paused;
    this.#mediaMs = nowMs;
  }

  /** The deadline that has passed, if one has. */
  passed(nowMs: number, shaken: boolean): GuardFault | undefined {
    const { handshakeMs, publishMs, idleMs } = this.#limits;
    const openMs = nowMs - this.#openedMs;
    if (!shaken) {
      return openMs > handshakeMs
        ? guardFault('handshake-timeout', `no handshake within ${handshakeMs} ms`)
        : undefined;
    }
    if (!this.#publishing) {
      const late = !this.#checking && openMs > publishMs;
      return late ? guardFault('publish-timeout', `no publish within ${publishMs} ms`) : undefined;
    }
    const silentMs = nowMs - this.#mediaMs;
    if (!this.#paused) {
      return silentMs > idleMs ? guardFault('idle-timeout', `no audio or video for ${idleMs} ms`) : undefined;
    }
    return silentMs > longestPauseMs
      ? guardFault('worker-behind', `paused for ${longestPauseMs} ms, the worker does not catch up`)
      : undefined;
  }

  /** True once for every `pingMs` that have passed. */
  pingDue(nowMs: number): boolean {
    if (!this.#publishing || nowMs - this.#pingedMs < this.#limits.pingMs) return false;
    this.#pingedMs = nowMs;
    return true;
  }
}

/** Who may connect: bounds in all, by address and by time, and which web pages. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@millrace/clock';
import type { ClientAddress } from '@millrace/http';
import { TokenBucket } from '../core/token-bucket.ts';

export interface DoorOptions {
  readonly clock: Clock;
  readonly maxSockets: number;
  readonly maxPerAddress: number;
  readonly maxHandshakesPerS: number;
  /** Besides the hub's own host; `*`: any. */
  readonly allowedOrigins: readonly string[];
  readonly addressOf: ClientAddress;
}

export interface DoorRefusal {
  readonly reason: 'draining' | 'too-fast' | 'too-many' | 'too-many-of-address' | 'origin';
  readonly status: 403 | 429 | 503;
  readonly detail: string;
}

/** A place inside; give it back once. */
export interface Seat {
  readonly kind: 'seat';
  leave(): void;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #byAddress = new Map<string, number>();
  readonly #handshakes: TokenBucket;
  #inside = 0;
  #draining = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#handshakes = new TokenBucket(
      options.maxHandshakesPerS,
      options.maxHandshakesPerS,
      options.clock.monotonicMs(),
    );
  }

  get inside(): number {
    return this.#inside;
  }

  /** From now on nobody comes in. */
  drain(): void {
    this.#draining = true;
  }

  /** Whether a page of another origin may read what it is answered. */
  admitsOrigin(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    // Only browsers send it, and only they carry somebody's cookies and reach his network.
    if (origin === undefined) return true;
    const { allowedOrigins } = this.#options;
    if (allowedOrigins.includes('*') || allowedOrigins.includes(origin)) return true;
    const own = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
    return own !== undefined && host !== undefined && own.toLowerCase() === host.toLowerCase();
  }

  enter(request: IncomingMessage): Seat | DoorRefusal {
    if (this.#draining) return { reason: 'draining', status: 503, detail: 'this instance is about to stop' };
    if (!this.admitsOrigin(request)) {
      const detail = `pages of ${(request.headers.origin ?? '').slice(0, 100)} may not connect`;
      return { reason: 'origin', status: 403, detail };
    }
    if (!this.#handshakes.take(this.#options.clock.monotonicMs())) {
      return { reason: 'too-fast', status: 503, detail: 'too many connect at once: try again shortly' };
    }
    if (this.#inside >= this.#options.maxSockets) {
      return { reason: 'too-many', status: 503, detail: `expected at most ${this.#options.maxSockets} clients` };
    }
    const address = this.#options.addressOf(request) ?? ''; // of those that are gone already: one for all
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress >= this.#options.maxPerAddress) {
      const detail = `expected at most ${this.#options.maxPerAddress} clients of one address`;
      return { reason: 'too-many-of-address', status: 429, detail };
    }
    this.#inside++;
    this.#byAddress.set(address, ofAddress + 1);
    let inside = true;
    const leave = () => {
      if (!inside) return;
      inside = false;
      this.#inside--;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    };
    return { kind: 'seat', leave };
  }
}

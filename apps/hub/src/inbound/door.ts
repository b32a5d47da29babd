/** Who may connect: bounds in all, by address and by time, and which web pages. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Clock } from '@millrace/clock';
import { TokenBucket } from '../core/token-bucket.ts';

export interface DoorOptions {
  readonly clock: Clock;
  readonly maxSockets: number;
  readonly maxPerAddress: number;
  readonly maxHandshakesPerS: number;
  /** Besides the hub's own host; `*`: any. */
  readonly allowedOrigins: readonly string[];
  /** Addresses or CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
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
  readonly #proxies = new BlockList();
  #inside = 0;
  #draining = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#handshakes = new TokenBucket(
      options.maxHandshakesPerS,
      options.maxHandshakesPerS,
      options.clock.monotonicMs(),
    );
    for (const proxy of options.trustedProxies) {
      const [address = '', bits] = proxy.split('/');
      const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
      if (family === undefined) throw new Error(`HUB_TRUSTED_PROXIES: expected addresses or ranges, got "${proxy}"`);
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
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
    const address = this.#addressOf(request);
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

  /** The nearest address that is not one of our proxies. */
  #addressOf(request: IncomingMessage): string {
    const hops = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter(Boolean);
    let address = plain(request.socket.remoteAddress ?? '');
    while (this.#isProxy(address)) {
      const next = hops.pop();
      if (next === undefined) break;
      address = plain(next);
    }
    return address;
  }

  #isProxy(address: string): boolean {
    if (isIPv4(address)) return this.#proxies.check(address, 'ipv4');
    return isIPv6(address) && this.#proxies.check(address, 'ipv6');
  }
}

/** IPv4 in IPv6 as IPv4. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

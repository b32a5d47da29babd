/** How many sessions are kept track of: in all, of a stream, of an address, and how fast an address may begin them. */
export interface SessionLimitsSettings {
  readonly mostSessions: number;
  readonly mostPerStream: number;
  readonly mostPerAddress: number;
  /** New sessions of an address per second, on average; ten seconds' worth may come at once. */
  readonly startsPerSecond: number;
}

export type LimitReason = 'too-many' | 'stream-limit' | 'address-limit' | 'address-rate';

const burstSeconds = 10;
const mostRates = 20_000;

export class SessionLimits {
  readonly #settings: SessionLimitsSettings;
  readonly #byStream = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();
  readonly #rates = new Map<string, { tokens: number; atMs: number }>();
  #sessions = 0;

  constructor(settings: SessionLimitsSettings) {
    this.#settings = settings;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** Takes a place; `addressKey` stands for the address, it need not be one. Undefined: it is taken. */
  enter(streamId: string, addressKey: string, nowMs: number): LimitReason | undefined {
    const { mostSessions, mostPerStream, mostPerAddress } = this.#settings;
    const ofStream = this.#byStream.get(streamId) ?? 0;
    const ofAddress = this.#byAddress.get(addressKey) ?? 0;
    if (this.#sessions >= mostSessions) return 'too-many';
    if (ofStream >= mostPerStream) return 'stream-limit';
    if (ofAddress >= mostPerAddress) return 'address-limit';
    if (!this.#takeToken(addressKey, nowMs)) return 'address-rate';
    this.#sessions++;
    this.#byStream.set(streamId, ofStream + 1);
    this.#byAddress.set(addressKey, ofAddress + 1);
    return undefined;
  }

  leave(streamId: string, addressKey: string): void {
    this.#sessions--;
    decrement(this.#byStream, streamId);
    decrement(this.#byAddress, addressKey);
  }

  #takeToken(addressKey: string, nowMs: number): boolean {
    const { startsPerSecond } = this.#settings;
    const most = startsPerSecond * burstSeconds;
    const rate = this.#rates.get(addressKey);
    const tokens =
      rate === undefined ? most : Math.min(most, rate.tokens + ((nowMs - rate.atMs) / 1000) * startsPerSecond);
    this.#rates.delete(addressKey); // so that the map stays in order of use
    this.#rates.set(addressKey, { tokens: Math.max(0, tokens >= 1 ? tokens - 1 : tokens), atMs: nowMs });
    if (this.#rates.size > mostRates) {
      for (const oldest of this.#rates.keys()) {
        this.#rates.delete(oldest);
        break;
      }
    }
    return tokens >= 1;
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

import { RateBuckets } from './rate-buckets.ts';

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
  readonly #rates: RateBuckets;
  #sessions = 0;

  constructor(settings: SessionLimitsSettings) {
    this.#settings = settings;
    const { startsPerSecond } = settings;
    this.#rates = new RateBuckets(startsPerSecond, startsPerSecond * burstSeconds, mostRates);
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
    if (this.#rates.take(addressKey, 1, nowMs) === 0) return 'address-rate';
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
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

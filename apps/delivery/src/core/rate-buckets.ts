/** Token buckets by key, bounded: the one that was not used for longest is forgotten, which gives its owner a full bucket. */
export class RateBuckets {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #capacity: number;

  /** `burst`: tokens that a bucket holds when it is full. */
  constructor(perSecond: number, burst: number, capacity: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#capacity = capacity;
  }

  /** Takes as many of `count` tokens as there are whole ones; returns how many. */
  take(key: string, count: number, nowMs: number): number {
    return this.#take(key, count, nowMs, 0);
  }

  /** The same for what matters less: half a bucket is left to `take`, whose users it can therefore never keep out. */
  takeSpare(key: string, count: number, nowMs: number): number {
    return this.#take(key, count, nowMs, Math.floor(this.#burst / 2));
  }

  #take(key: string, count: number, nowMs: number, left: number): number {
    const bucket = this.#buckets.get(key);
    const refill = bucket === undefined ? this.#burst : ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    const tokens = Math.min(this.#burst, (bucket?.tokens ?? 0) + refill);
    const taken = Math.min(count, Math.max(0, Math.floor(tokens - left)));
    this.#buckets.delete(key); // so that the map stays in order of use
    this.#buckets.set(key, { tokens: tokens - taken, atMs: nowMs });
    if (this.#buckets.size > this.#capacity) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return taken;
  }
}

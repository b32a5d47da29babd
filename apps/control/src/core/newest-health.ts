import type { HealthSample } from '@millrace/events';

interface Entry {
  readonly sample: HealthSample;
  readonly heardAtMs: number;
}

/** The newest health sample of each stream in bounded memory: at most `capacity` streams, the least fresh goes first. */
export class NewestHealth {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;
  readonly #staleMs: number;

  constructor(capacity: number, staleMs: number) {
    this.#capacity = capacity;
    this.#staleMs = staleMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes a sample heard at `nowMs` (monotonic), unless a newer one of the stream is there. */
  take(sample: HealthSample, nowMs: number): void {
    const known = this.#entries.get(sample.stream_id)?.sample;
    if (known !== undefined && compare(known, sample) > 0) return;
    this.#entries.delete(sample.stream_id); // so that the Map's order is the order of freshness
    this.#entries.set(sample.stream_id, { sample, heardAtMs: nowMs });
    if (this.#entries.size <= this.#capacity) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  /** The sample of a stream if it is of `epoch` or later and not stale. */
  get(streamId: string, epoch: number, nowMs: number): HealthSample | undefined {
    const entry = this.#entries.get(streamId);
    if (entry === undefined || entry.sample.epoch < epoch || nowMs - entry.heardAtMs > this.#staleMs) return undefined;
    return entry.sample;
  }
}

function compare(a: HealthSample, b: HealthSample): number {
  return a.epoch === b.epoch ? a.at_ms - b.at_ms : a.epoch - b.epoch;
}

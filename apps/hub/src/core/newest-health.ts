import type { HealthSample } from '@millrace/events';

interface Entry {
  readonly sample: HealthSample;
  readonly heardAtMs: number;
}

/** The newest health sample of each stream in bounded memory: at most `capacity` streams, the least fresh goes first. */
export class NewestHealth {
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Set<string>();
  readonly #capacity: number;
  readonly #staleMs: number;

  constructor(capacity: number, staleMs: number) {
    this.#capacity = capacity;
    this.#staleMs = staleMs;
  }

  /** Takes a sample heard at `nowMs` (monotonic), unless a newer one of the stream is there. */
  take(sample: HealthSample, nowMs: number): void {
    const known = this.#entries.get(sample.stream_id)?.sample;
    if (known !== undefined && compare(known, sample) >= 0) return;
    this.#entries.delete(sample.stream_id); // so that the Map's order is the order of freshness
    this.#entries.set(sample.stream_id, { sample, heardAtMs: nowMs });
    this.#changed.add(sample.stream_id);
    if (this.#entries.size > this.#capacity) this.#dropOldest();
  }

  /** The sample of a stream, if it is of `epoch` or later. */
  get(streamId: string, epoch: number): HealthSample | null {
    const sample = this.#entries.get(streamId)?.sample;
    return sample === undefined || sample.epoch < epoch ? null : sample;
  }

  /** Forgets what has not been renewed for long. */
  expire(nowMs: number): void {
    for (const [streamId, { heardAtMs }] of this.#entries) {
      if (nowMs - heardAtMs <= this.#staleMs) return;
      this.#entries.delete(streamId);
      this.#changed.add(streamId);
    }
  }

  /** Streams whose health changed since the last call. */
  takeChanged(): ReadonlySet<string> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }

  #dropOldest(): void {
    for (const streamId of this.#entries.keys()) {
      this.#entries.delete(streamId);
      return;
    }
  }
}

function compare(a: HealthSample, b: HealthSample): number {
  return a.epoch === b.epoch ? a.at_ms - b.at_ms : a.epoch - b.epoch;
}

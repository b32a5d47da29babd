import { type Epoch, nextEpoch, type StreamId } from '@millrace/ids';
import type { EpochSource } from './ports.ts';

/** Mints epochs from the wall clock, above every epoch of the same stream that was minted or seen. */
export class SeenEpochs implements EpochSource {
  readonly #nowMs: () => number;
  readonly #last = new Map<StreamId, Epoch>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(streamId: StreamId): Epoch {
    const epoch = nextEpoch(this.#nowMs(), this.#last.get(streamId));
    this.#last.set(streamId, epoch);
    return epoch;
  }

  /** Somebody else has used this one. */
  seen(streamId: StreamId, epoch: Epoch): void {
    const last = this.#last.get(streamId);
    if (last === undefined || epoch > last) this.#last.set(streamId, epoch);
  }

  /** The stream was deleted: its ids are not used again. */
  forget(streamId: StreamId): void {
    this.#last.delete(streamId);
  }
}

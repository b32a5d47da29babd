/**
 * Samples on their way to the log: gathered for a moment, or until there are enough for one publish. A full buffer drops its
 * oldest, as the newest are worth most; a batch that the log does not take is dropped. Every drop is counted. Who can refuse
 * what it would add asks for `room` first.
 */
import type { Clock, Timer } from '@millrace/clock';
import type { EventLog, NewRecord } from '../event-log.ts';

export type SampleDropReason = 'buffer-full' | 'log-away' | 'closed';

export interface SampleBufferOptions {
  readonly eventLog: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  /** Longest wait for more, ms. */
  readonly flushMs: number;
  readonly maxSamples: number;
  readonly onDropped: (reason: SampleDropReason, samples: number) => void;
}

/** So many are sent without waiting for more: above some thousands a second the buffer would be full before the moment is over. */
const enoughSamples = 1_000;

export class SampleBuffer implements AsyncDisposable {
  readonly #options: SampleBufferOptions;
  #waiting: NewRecord[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: SampleBufferOptions) {
    this.#options = options;
  }

  /** Samples that can be added before one is dropped. */
  get room(): number {
    return this.#closed ? 0 : this.#options.maxSamples - this.#waiting.length;
  }

  add(sample: NewRecord): void {
    if (this.#closed) return this.#options.onDropped('closed', 1);
    if (this.#waiting.length >= this.#options.maxSamples) {
      this.#waiting.shift();
      this.#options.onDropped('buffer-full', 1);
    }
    this.#waiting.push(sample);
    this.#schedule();
  }

  /** Sends what is there, waiting no longer than the log takes for one batch. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#sending;
    await this.#send();
  }

  /** One timer, only while something waits, so that an idle service does nothing. */
  #schedule(): void {
    if (this.#sending !== undefined || this.#closed) return;
    if (this.#waiting.length >= enoughSamples) this.#begin();
    else this.#timer ??= this.#options.clock.after(this.#options.flushMs, () => this.#begin());
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  async #send(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    try {
      await this.#options.eventLog.publish(batch);
    } catch {
      this.#options.onDropped('log-away', batch.length);
    }
  }
}

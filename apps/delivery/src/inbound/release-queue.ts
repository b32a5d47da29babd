import type { Waiter, WaitOutcome } from '../core/waiting-room.ts';

/** Answers a turn of the event loop writes before it lets other work in; see docs/decisions/0053 for the measurement. */
const sliceSize = 50;

/**
 * Answers released waiters in slices, each in a turn of its own, so that a thousand of them neither delay the writer
 * whose part set them free nor the next part's arrival.
 */
export class ReleaseQueue {
  readonly #queue: { readonly waiter: Waiter; readonly outcome: WaitOutcome }[] = [];
  #at = 0;
  #scheduled = false;

  get length(): number {
    return this.#queue.length - this.#at;
  }

  release(waiters: readonly Waiter[], outcome: WaitOutcome): void {
    for (const waiter of waiters) this.#queue.push({ waiter, outcome });
    this.#schedule();
  }

  /** Answers everybody now; for the drain. */
  flush(): void {
    while (this.length > 0) this.#answerSlice();
  }

  #schedule(): void {
    if (this.#scheduled || this.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#answerSlice();
      this.#schedule();
    });
  }

  #answerSlice(): void {
    const end = Math.min(this.#queue.length, this.#at + sliceSize);
    while (this.#at < end) {
      const entry = this.#queue[this.#at++];
      entry?.waiter.answer(entry.outcome);
    }
    if (this.#at < this.#queue.length) return;
    this.#queue.length = 0;
    this.#at = 0;
  }
}

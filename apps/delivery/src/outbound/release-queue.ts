import type { Later } from '../core/waiting-room.ts';

/**
 * Answers (or closing works) of one turn of the event loop before it lets other work in: about 4 ms. Between turns the
 * first ones answered already ask again, which costs more than an answer, so small slices make the last ones wait.
 */
const sliceSize = 250;

/**
 * Answers released waiters: first all writes, in slices, then what each leaves to be done. Thus a thousand of them get
 * their bytes within some 15 ms and neither delay the writer whose part set them free nor the next part's arrival.
 */
export class ReleaseQueue {
  readonly #answers: ((later: Later) => void)[] = [];
  readonly #works: (() => void)[] = [];
  readonly #later = (work: () => void): void => void this.#works.push(work);
  #scheduled = false;

  /** Waiters that are not answered yet. */
  get length(): number {
    return this.#answers.length;
  }

  /** Queues answers; none of them may throw. */
  release(answers: readonly ((later: Later) => void)[]): void {
    for (const answer of answers) this.#answers.push(answer);
    this.#schedule();
  }

  /** Answers everybody now; for the drain. */
  flush(): void {
    while (this.#answers.length + this.#works.length > 0) this.#runSlice();
  }

  #schedule(): void {
    if (this.#scheduled || this.#answers.length + this.#works.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#runSlice();
      this.#schedule();
    });
  }

  #runSlice(): void {
    if (this.#answers.length > 0) {
      for (const answer of this.#answers.splice(0, sliceSize)) answer(this.#later);
      return;
    }
    for (const work of this.#works.splice(0, sliceSize)) work();
  }
}

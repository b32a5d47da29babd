/**
 * A background loop with an owner: it is handed an AbortSignal, a crash is reported and not lost, and closing it aborts
 * the signal and waits until the loop has returned.
 */
export class Background implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  /** Starts `loop` at once. `onCrash` is told when it rejects for any reason but its own abort. */
  constructor(loop: (signal: AbortSignal) => Promise<void>, onCrash: (error: unknown) => void) {
    this.#done = loop(this.#abort.signal).catch((error: unknown) => {
      if (!this.#abort.signal.aborted) onCrash(error);
    });
  }

  /** Settles when the loop has returned. */
  get done(): Promise<void> {
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

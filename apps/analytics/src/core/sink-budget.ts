/** Records that all partitions of the sink may hold in memory together; those who want more wait until some are through. */
export class SinkBudget {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  take(records: number): void {
    this.#used += records;
  }

  give(records: number): void {
    this.#used -= records;
    if (this.#used >= this.#limit) return;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when there is room, or `signal` aborts. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#used >= this.#limit && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }
}

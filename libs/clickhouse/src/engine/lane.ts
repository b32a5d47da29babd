/** A bounded number of things at once, and a bounded number of waiters behind them, first come first served. */
export class Lane {
  readonly #slots: number;
  readonly #maxWaiting: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(slots: number, maxWaiting: number) {
    this.#slots = slots;
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves with a slot, `full` when too many wait already, or `gone` when `signal` aborts first. */
  enter(signal: AbortSignal): Promise<Disposable | 'full' | 'gone'> {
    if (signal.aborted) return Promise.resolve('gone');
    if (this.#running < this.#slots) return Promise.resolve(this.#take());
    if (this.#queue.length >= this.#maxWaiting) return Promise.resolve('full');
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve(this.#take());
      };
      const leave = () => {
        const index = this.#queue.indexOf(go);
        if (index >= 0) this.#queue.splice(index, 1);
        resolve('gone');
      };
      this.#queue.push(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #take(): Disposable {
    this.#running++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#running--;
        this.#queue.shift()?.();
      },
    };
  }
}

/** How many reads of the media store run at once. Who comes beyond it is turned away, not queued: players ask again by themselves. */
export class StoreReads {
  readonly #most: number;
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get running(): number {
    return this.#running;
  }

  /** Runs `read`; undefined: too many run. */
  async run<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#most) return undefined;
    this.#running++;
    try {
      return await read();
    } finally {
      this.#running--;
    }
  }
}

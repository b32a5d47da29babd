/**
 * Identical submits at once: the first is carried out, and those that come while it is on its way are told what became of it. So a
 * thousand equal calls are one transaction, take one place at the gate, and still have one answer each.
 */
export class SameSubmits<T> {
  readonly #leading = new Map<string, Promise<T>>();

  /**
   * Runs `work` unless one of the same `key` (who asks, for what, with which body) is on its way. `joined`: it was, and this is what it
   * gave; it rejects with what that one rejected with.
   */
  async run(key: string, work: () => Promise<T>): Promise<{ readonly joined: boolean; readonly value: T }> {
    const leader = this.#leading.get(key);
    if (leader !== undefined) return { joined: true, value: await leader };
    const led = work();
    this.#leading.set(key, led);
    try {
      return { joined: false, value: await led };
    } finally {
      this.#leading.delete(key);
    }
  }
}

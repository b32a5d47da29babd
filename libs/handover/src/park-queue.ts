/**
 * The slots of workers that wait for a source, and those who want to know when one parks. Whoever waits longest is next; a
 * worker that got a source goes to the end with all its other slots, so that sources spread over the workers.
 */
export class ParkQueue<T extends { readonly workerId: string }> {
  readonly #parked = new Set<T>();
  readonly #listeners = new Set<() => void>();

  get size(): number {
    return this.#parked.size;
  }

  /** Parks `entry`. Listeners are called after the present call has returned, so that none of them runs inside a `park`. */
  add(entry: T): void {
    this.#parked.add(entry);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Takes `entry` out; no matter if it is gone. */
  remove(entry: T): void {
    this.#parked.delete(entry);
  }

  /** Takes out the first that `isFit`; when none is, the first of all. */
  take(isFit: (entry: T) => boolean = () => true): T | undefined {
    const waiting = [...this.#parked];
    const taken = waiting.find(isFit) ?? waiting[0];
    if (taken === undefined) return undefined;
    this.#parked.delete(taken);
    for (const entry of waiting) {
      if (entry.workerId !== taken.workerId || entry === taken) continue;
      this.#parked.delete(entry);
      this.#parked.add(entry);
    }
    return taken;
  }

  /** Calls `listener` after each `add`; returns how to stop. */
  onParked(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

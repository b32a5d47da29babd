/** Workers that wait for a source, longest-parked first, and those who want to know when one parks. */
export class ParkQueue<T> {
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

  /** Takes out the one that parked first. */
  take(): T | undefined {
    for (const entry of this.#parked) {
      this.#parked.delete(entry);
      return entry;
    }
    return undefined;
  }

  /** Everything that is parked, oldest first. */
  entries(): readonly T[] {
    return [...this.#parked];
  }

  /** Calls `listener` after each `add`; returns how to stop. */
  onParked(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

import type { TokenTable } from '@millrace/auth';

/**
 * A table of a topic that control itself writes, with what this instance wrote laid over it: its own signing key and
 * revocations count at once, before the topic has come round.
 */
export class OwnedTable<T> implements TokenTable<T> {
  readonly #table: TokenTable<T>;
  readonly #own = new Map<string, T>();
  readonly #capacity: number;

  constructor(table: TokenTable<T>, capacity: number) {
    this.#table = table;
    this.#capacity = capacity;
  }

  get isReady(): boolean {
    return this.#table.isReady;
  }

  get(key: string): T | undefined {
    return this.#own.get(key) ?? this.#table.get(key);
  }

  /** Lays a value over the table; of more than `capacity` the oldest goes, which the table has long had. */
  put(key: string, value: T): void {
    this.#own.delete(key);
    this.#own.set(key, value);
    if (this.#own.size <= this.#capacity) return;
    const oldest = this.#own.keys().next();
    if (!oldest.done) this.#own.delete(oldest.value);
  }
}

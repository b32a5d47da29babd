import type { Follower, LogRecord, Table } from './event-log.ts';

type Listener<T> = (key: string, value: T | undefined, previous: T | undefined) => void;

/** A table is the fold of its topic: the last value of each key, tombstones removed. */
export class TableCopy<T> implements Table<T> {
  readonly ready: Promise<void>;
  readonly #values = new Map<string, T>();
  readonly #listeners = new Set<Listener<T>>();
  readonly #follower: Follower;
  #ready = false;

  /** `follow` starts a reader of the topic from its beginning, or from the last values of its keys. */
  constructor(follow: (onRecord: (record: LogRecord<T>) => void) => Follower) {
    this.#follower = follow((record) => this.#apply(record));
    this.ready = this.#follower.caughtUp.then(() => {
      this.#ready = true;
    });
    this.ready.catch(() => {}); // rejects when it is closed before it was ready; nobody has to wait for it
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  entries(): IterableIterator<readonly [string, T]> {
    return this.#values.entries();
  }

  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    return Promise.resolve(this.#follower[Symbol.asyncDispose]());
  }

  #apply({ key, value }: LogRecord<T>): void {
    const previous = this.#values.get(key);
    if (value !== undefined) this.#values.set(key, value);
    else if (!this.#values.delete(key)) return;
    for (const listener of this.#listeners) listener(key, value, previous);
  }
}

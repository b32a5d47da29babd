/** How many watch the stream of this page; undefined while nobody has said. */
export class Audience {
  readonly #listeners = new Set<() => void>();
  #viewers: number | undefined;

  get viewers(): number | undefined {
    return this.#viewers;
  }

  count(viewers: number | undefined): void {
    if (viewers === this.#viewers) return;
    this.#viewers = viewers;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

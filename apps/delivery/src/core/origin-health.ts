/** Which origins are worth asking: one that failed is left alone for a time that doubles. Times are monotonic, ms. */
export class OriginHealth {
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();
  readonly #backoff: (attempt: number) => number;

  /** `backoff` gives the pause after failure number `attempt` (from 0), ms. */
  constructor(backoff: (attempt: number) => number) {
    this.#backoff = backoff;
  }

  mayAsk(origin: string, nowMs: number): boolean {
    const failure = this.#failures.get(origin);
    return failure === undefined || failure.untilMs <= nowMs;
  }

  failed(origin: string, nowMs: number): void {
    const count = this.#failures.get(origin)?.count ?? 0;
    // What fails together is one failure.
    if (!this.mayAsk(origin, nowMs)) return;
    this.#failures.set(origin, { count: count + 1, untilMs: nowMs + this.#backoff(count) });
  }

  answered(origin: string): void {
    this.#failures.delete(origin);
  }

  /** Origins that are left alone now. */
  away(nowMs: number): number {
    return [...this.#failures.values()].filter(({ untilMs }) => untilMs > nowMs).length;
  }
}

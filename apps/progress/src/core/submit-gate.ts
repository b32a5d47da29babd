/**
 * Who may come in to submit a job. What is let in is to be answered soon, so at more load than can be answered the rest is turned away
 * at once: where too many are inside, where those inside leave so slowly that the next one would wait too long, and where nobody leaves
 * at all. How fast they leave is measured only while many are inside; before, as many come in as a modest machine can bear.
 */
export interface GateLimits {
  /** Most inside at once. */
  readonly most: number;
  /** So few are always let in: somebody has to show how fast it goes. */
  readonly least: number;
  /** Longest time that one who is let in may expect to be inside, ms. */
  readonly patienceMs: number;
}

/** `full`: `most` are inside; `slow`: it would take too long; `stalled`: nobody has left for too long. */
export type ShedReason = 'full' | 'slow' | 'stalled';

export type Entry =
  | { readonly kind: 'entered'; leave(nowMs: number): void }
  | { readonly kind: 'shed'; readonly reason: ShedReason };

/** As many inside are taken to be answered in time as long as nothing was measured. */
const unmeasured = 128;
/** Leaves over which the pace is averaged. */
const memory = 128;

export class SubmitGate {
  readonly #limits: GateLimits;
  #inside = 0;
  /** Mean time from one leave to the next while at least `least` are inside, ms. */
  #paceMs: number;
  /** Since when it is measured: the last leave, or the moment at which enough were inside. */
  #sinceMs = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
    this.#paceMs = limits.patienceMs / unmeasured;
  }

  get inside(): number {
    return this.#inside;
  }

  /**
   * Why the next one would be turned away now; undefined: it would not. Times are of a monotonic clock. `waitedMs`: how long it may have
   * waited before anybody could ask.
   */
  refusal(nowMs: number, waitedMs = 0): ShedReason | undefined {
    const { most, least, patienceMs } = this.#limits;
    if (this.#inside < Math.min(least, most)) return undefined;
    if (this.#inside >= most) return 'full';
    if (nowMs - this.#sinceMs > patienceMs) return 'stalled';
    return waitedMs + (this.#inside + 1) * this.#paceMs > patienceMs ? 'slow' : undefined;
  }

  /** Who enters leaves once, whatever became of it. */
  enter(nowMs: number): Entry {
    const reason = this.refusal(nowMs);
    if (reason !== undefined) return { kind: 'shed', reason };
    this.#inside++;
    if (this.#inside === this.#limits.least) this.#sinceMs = nowMs;
    return { kind: 'entered', leave: (atMs) => this.#leave(atMs) };
  }

  #leave(nowMs: number): void {
    if (this.#inside >= this.#limits.least) {
      // one that stood still says that it stood still, not how slow it will be
      const gapMs = Math.min(nowMs - this.#sinceMs, this.#limits.patienceMs);
      this.#paceMs += (gapMs - this.#paceMs) / memory;
      this.#sinceMs = nowMs;
    }
    this.#inside--;
  }
}

/**
 * How long what is read now may have waited to be read. An event loop reads all that has come, then begins its next turn: what comes
 * meanwhile waits until the turn is over, and then for what is read before it.
 */
export interface LoopTurnDeps {
  readonly clock: { monotonicMs(): number };
  /** Calls back at the end of this turn. */
  readonly atEnd: (done: () => void) => void;
}

/** A turn that begins so soon after the one before had something to read already, ms. */
const atOnceMs = 2;

export class LoopTurn {
  readonly #deps: LoopTurnDeps;
  #startedMs: number | undefined;
  /** Longest wait of what was read first in this turn, ms. */
  #beforeMs = 0;
  #last = { endedMs: Number.NEGATIVE_INFINITY, tookMs: 0 };

  constructor(deps: LoopTurnDeps) {
    this.#deps = deps;
  }

  /** To be asked when something is read: how long it may have waited, ms. */
  waitedMs(): number {
    const nowMs = this.#deps.clock.monotonicMs();
    const startedMs = this.#startedMs ?? this.#begin(nowMs);
    return this.#beforeMs + nowMs - startedMs;
  }

  #begin(nowMs: number): number {
    this.#startedMs = nowMs;
    this.#beforeMs = nowMs - this.#last.endedMs <= atOnceMs ? this.#last.tookMs : 0;
    this.#deps.atEnd(() => {
      const endedMs = this.#deps.clock.monotonicMs();
      this.#last = { endedMs, tookMs: endedMs - nowMs };
      this.#startedMs = undefined;
    });
    return nowMs;
  }
}

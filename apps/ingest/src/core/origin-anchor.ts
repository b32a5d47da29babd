/**
 * The wall clock of a publish: media time `originTimestampMs` arrived at `originWallMs`. The anchor is the fastest arrival
 * of the first second, since a slow one was held up on its way; it stands still once it was told to anybody.
 */
export interface Origin {
  readonly originWallMs: number;
  readonly originTimestampMs: number;
}

const refinedForMs = 1_000;

export class OriginAnchor {
  #first: number | undefined;
  #best: Origin | undefined;
  #frozen = false;

  /** A frame of `timestampMs` arrived at wall clock `wallMs`. */
  observe(timestampMs: number, wallMs: number): void {
    if (this.#frozen) return;
    this.#first ??= wallMs;
    if (wallMs - this.#first > refinedForMs) {
      this.#frozen = true;
      return;
    }
    const best = this.#best;
    if (best === undefined || wallMs - timestampMs < best.originWallMs - best.originTimestampMs) {
      this.#best = { originWallMs: wallMs, originTimestampMs: timestampMs };
    }
  }

  /** A frame was seen. */
  get begun(): boolean {
    return this.#best !== undefined;
  }

  /** The anchor, from now on for ever; undefined before any frame. */
  freeze(): Origin | undefined {
    if (this.#best !== undefined) this.#frozen = true;
    return this.#best;
  }
}

/**
 * PROGRAM-DATE-TIME: wall clock of media time. Anchored on the origin of the publish; a jump of timestamps anchors it again,
 * never before what was already dated.
 */
export class ProgramDate {
  /** Wall clock of media time 0, ms since 1970. */
  #zeroMs: number;
  #endMs = Number.NEGATIVE_INFINITY;

  constructor(originWallMs: number, originTimestampMs: number) {
    this.#zeroMs = originWallMs - originTimestampMs;
  }

  /** The date of media time `timestampMs`, ms since 1970. */
  at(timestampMs: number): number {
    return Math.round(this.#zeroMs + timestampMs);
  }

  /** Media up to `timestampMs` is dated. */
  advance(timestampMs: number): void {
    this.#endMs = Math.max(this.#endMs, this.#zeroMs + timestampMs);
  }

  /** Another clock: `timestampMs` arrived at wall clock `wallMs`. */
  rebase(timestampMs: number, wallMs: number): void {
    this.#zeroMs = Math.max(wallMs, this.#endMs) - timestampMs;
  }
}

/** A step of a track's clock that is no longer a frame's, ms: a hole or a jump that a player stumbles over. */
const gapMs = 1_000;
/** Weight of the newest arrival in the running mean of `aheadMs`. */
const smoothing = 0.05;

export interface TrackCounts {
  readonly bytes: number;
  readonly frames: number;
  readonly gaps: number;
  readonly mediaMs: number | undefined;
}

/** Counts one track between two samples. */
export class TrackMeter {
  #bytes = 0;
  #frames = 0;
  #gaps = 0;
  #last: number | undefined;
  #takenAt: number | undefined;
  #arrivedMs: number | undefined;
  #aheadMs: number | undefined;

  /** Decode time of the newest frame, ms. */
  get lastTimestampMs(): number | undefined {
    return this.#last;
  }

  /** Media time minus arrival time, a running mean, ms; the difference of two tracks' is their drift. */
  get aheadMs(): number | undefined {
    return this.#aheadMs;
  }

  /** How long nothing came, ms; undefined when nothing ever did. */
  idleMs(nowMs: number): number | undefined {
    return this.#arrivedMs === undefined ? undefined : nowMs - this.#arrivedMs;
  }

  /** A frame of decode time `timestampMs` and `bytes` arrived at monotonic `nowMs`. */
  frame(timestampMs: number, bytes: number, nowMs: number): void {
    const jumped = this.#last !== undefined && Math.abs(timestampMs - this.#last) > gapMs;
    if (jumped || (this.#last !== undefined && timestampMs < this.#last)) this.#gaps++;
    const ahead = timestampMs - nowMs;
    const mean = this.#aheadMs;
    this.#aheadMs = mean === undefined || jumped ? ahead : mean + (ahead - mean) * smoothing;
    this.#last = timestampMs;
    this.#arrivedMs = nowMs;
    this.#bytes += bytes;
    this.#frames++;
  }

  /** The counts since the last call; `mediaMs` is how far the track's own clock went, undefined on the first call. */
  take(): TrackCounts {
    const mediaMs = this.#last === undefined || this.#takenAt === undefined ? undefined : this.#last - this.#takenAt;
    const counts = { bytes: this.#bytes, frames: this.#frames, gaps: this.#gaps, mediaMs };
    this.#takenAt = this.#last;
    this.#bytes = 0;
    this.#frames = 0;
    this.#gaps = 0;
    return counts;
  }
}

/**
 * The pictures of a file in the order in which they are shown, and where it can be cut without encoding: a copy begins at a keyframe
 * on which nothing before it depends, and ends where everything that was decoded has also been shown. Pure.
 */

/** A packet in decoding order, times in ms from the start of the file. */
export interface FramePacket {
  readonly ptsMs: number;
  readonly durationMs: number | undefined;
  readonly keyframe: boolean;
}

export class FrameTable {
  readonly #times: Float64Array;
  /** At i: the first i pictures that are decoded are the first i that are shown. */
  readonly #closed: Uint8Array;
  /** At i: a copy can begin with picture i. */
  readonly #starts: Uint8Array;
  /** Where the last picture ends, ms. */
  readonly endMs: number;
  /** Usual time from one picture to the next, ms. */
  readonly frameMs: number;

  private constructor(packets: readonly FramePacket[], times: Float64Array, usualMs: number) {
    this.#times = times;
    this.frameMs = usualMs;
    const { length } = packets;
    this.#closed = new Uint8Array(length + 1);
    this.#starts = new Uint8Array(length + 1);
    this.#closed[0] = 1;
    let latestMs = Number.NEGATIVE_INFINITY;
    for (const [i, packet] of packets.entries()) {
      if (packet.keyframe && this.#closed[i] === 1 && packet.ptsMs === times[i]) this.#starts[i] = 1;
      latestMs = Math.max(latestMs, packet.ptsMs);
      this.#closed[i + 1] = latestMs === times[i] ? 1 : 0;
    }
    const last = packets.find((packet) => packet.ptsMs === times[length - 1]);
    const lastMs = last?.durationMs ?? 0;
    this.endMs = (times[length - 1] ?? 0) + (lastMs > 0 && lastMs < usualMs * 4 ? lastMs : usualMs);
  }

  /** Undefined where two pictures have one time, or there is none: such a file is not cut by its packets. */
  static of(packets: readonly FramePacket[]): FrameTable | undefined {
    const times = Float64Array.from(packets, (packet) => packet.ptsMs).sort();
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    if (times.length === 0 || gaps.some((gap) => gap <= 0)) return undefined;
    const usualMs = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? packets[0]?.durationMs ?? 40;
    return new FrameTable(packets, times, usualMs);
  }

  get length(): number {
    return this.#times.length;
  }

  /** When picture `index` is shown, ms; of the one behind the last: when that ends. */
  timeAt(index: number): number {
    return this.#times[index] ?? this.endMs;
  }

  /** The first picture that is shown at `ms` or later, half a picture of grace. */
  indexAt(ms: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? 0) < ms - this.frameMs / 2) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  canStart(index: number): boolean {
    return this.#starts[index] === 1;
  }

  /** Whether a copy can end in front of picture `index`. */
  canEnd(index: number): boolean {
    return this.#closed[index] === 1;
  }

  /** The first picture from `index` on that a copy can begin with; undefined: none. */
  startFrom(index: number): number | undefined {
    const found = this.#starts.indexOf(1, index);
    return found === -1 ? undefined : found;
  }

  /** The last picture up to `index` that a copy can begin with; undefined: none. */
  startBefore(index: number): number | undefined {
    const found = this.#starts.lastIndexOf(1, index);
    return found === -1 ? undefined : found;
  }

  /** The longest time without a picture that a copy can begin with, ms. */
  get longestGopMs(): number {
    let longest = 0;
    let from = 0;
    for (let i = this.startFrom(1); i !== undefined; i = this.startFrom(i + 1)) {
      longest = Math.max(longest, this.timeAt(i) - this.timeAt(from));
      from = i;
    }
    return Math.max(longest, this.endMs - this.timeAt(from));
  }
}

/**
 * Reader of `-progress`: `key=value` lines in blocks that end with `progress=continue` or `progress=end`. Of a block
 * `out_time_us` and `frame` count: `out_time_ms` holds the same microseconds by an old mistake, and both are `N/A` until the first
 * packet. Under `-copyts` the time counts from the first block, so frames are the better measure there.
 */
export class ProgressReader {
  readonly #onFurther: (outTimeMs: number, frames: number) => void;
  #line = '';
  #outTimeMs = 0;
  #frames = 0;
  #changed = false;

  /** `onFurther` is told how much has been written, ms and pictures, once a block and only when one of them rose. */
  constructor(onFurther: (outTimeMs: number, frames: number) => void) {
    this.#onFurther = onFurther;
  }

  /** Takes the next text; any fragmentation gives the same reports. */
  feed(text: string): void {
    const lines = (this.#line + text).split('\n');
    // A line of ours is short: one without an end is not from ffmpeg, and must not grow.
    this.#line = (lines.pop() ?? '').slice(-longestLine);
    for (const line of lines) this.#takeLine(line.trim());
  }

  #takeLine(line: string): void {
    const [, key, value] = /^(out_time_us|frame)=\s*(-?\d{1,15})$/.exec(line) ?? [];
    if (key === 'out_time_us') this.#outTimeMs = this.#higher(this.#outTimeMs, Math.floor(Number(value) / 1_000));
    if (key === 'frame') this.#frames = this.#higher(this.#frames, Number(value));
    if (!line.startsWith('progress=') || !this.#changed) return;
    this.#changed = false;
    this.#onFurther(this.#outTimeMs, this.#frames);
  }

  #higher(before: number, now: number): number {
    if (now <= before) return before;
    this.#changed = true;
    return now;
  }
}

const longestLine = 256;

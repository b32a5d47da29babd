/**
 * Reader of `-progress`: `key=value` lines in blocks that end with `progress=continue` or `progress=end`. Of a block only
 * `out_time_us` counts: `out_time_ms` holds the same microseconds by an old mistake, and both are `N/A` until the first packet.
 */
export class ProgressReader {
  readonly #onTime: (outTimeMs: number) => void;
  #line = '';
  #latestUs: number | undefined;
  #reportedMs = -1;

  /** `onTime` is told how much has been written, ms, once a block and only when it rose. */
  constructor(onTime: (outTimeMs: number) => void) {
    this.#onTime = onTime;
  }

  /** Takes the next text; any fragmentation gives the same reports. */
  feed(text: string): void {
    const lines = (this.#line + text).split('\n');
    // A line of ours is short: one without an end is not from ffmpeg, and must not grow.
    this.#line = (lines.pop() ?? '').slice(-longestLine);
    for (const line of lines) this.#takeLine(line.trim());
  }

  #takeLine(line: string): void {
    const time = /^out_time_us=(-?\d{1,18})$/.exec(line)?.[1];
    if (time !== undefined) this.#latestUs = Number(time);
    if (!line.startsWith('progress=') || this.#latestUs === undefined) return;
    const outTimeMs = Math.max(0, Math.floor(this.#latestUs / 1_000));
    this.#latestUs = undefined;
    if (outTimeMs <= this.#reportedMs) return;
    this.#reportedMs = outTimeMs;
    this.#onTime(outTimeMs);
  }
}

const longestLine = 256;

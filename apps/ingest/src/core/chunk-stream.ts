import type { BodyPlan, MessageHead } from './rtmp-message.ts';

const longestHead = 5;
const nothing: BodyPlan = { headBytes: 0, payload: new Uint8Array(0), skip: true };

/** One chunk stream: the last header it had, which later chunks lean on, and the message being put together. */
export class ChunkStream implements MessageHead {
  type = 0;
  timestamp = 0;
  length = 0;
  streamId = 0;
  /** The last header carried the extended timestamp field. */
  extended = false;
  /** The last timestamp field: absolute after a type 0 chunk, else a delta, ms. */
  timeField = 0;
  #plan = nothing;
  #open = false;
  #written = 0;
  readonly #head = new Uint8Array(longestHead);

  /** A message has begun and is not whole. */
  get open(): boolean {
    return this.#open;
  }

  /** Bytes the present message still lacks. */
  get left(): number {
    return this.length - this.#written;
  }

  get body(): BodyPlan {
    return this.#plan;
  }

  /** The bytes that were kept apart; valid until the next message begins. */
  get headBytes(): Uint8Array {
    return this.#head.subarray(0, this.#plan.headBytes);
  }

  begin(plan: BodyPlan): void {
    this.#plan = plan;
    this.#open = true;
    this.#written = 0;
  }

  end(): void {
    this.#open = false;
  }

  /** Takes `count` bytes of `bytes` from `at` on: the only copy a body byte sees. */
  write(bytes: Uint8Array, at: number, count: number): void {
    let from = at;
    const to = at + count;
    const { headBytes, payload, skip } = this.#plan;
    if (!skip) {
      while (this.#written + (from - at) < headBytes && from < to) {
        this.#head[this.#written + (from - at)] = bytes[from] ?? 0;
        from++;
      }
      if (from < to) payload.set(bytes.subarray(from, to), this.#written + (from - at) - headBytes);
    }
    this.#written += count;
  }
}

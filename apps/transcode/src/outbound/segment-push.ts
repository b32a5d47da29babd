/**
 * Writes one source's parts to its live window: the parts of a rendition one after another, renditions beside each other,
 * and an open or an end only when everything before it is written. The queue is bounded by whoever fills it (`queuedBytes`). What
 * delivery cannot take now is tried again for a bounded time; any other refusal fails the push for good, once.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { LiveWindowWriter, OpenWindow, PartWrite, WindowState, WriteRefusal } from '@millrace/handover';
import { backoffMs } from '@millrace/lifecycle';
import { err, ok, type Result } from '@millrace/result';
import type { WindowPush, WindowPushEvents } from '../core/ports.ts';

export interface SegmentPushOptions extends WindowPushEvents {
  readonly writer: LiveWindowWriter;
  readonly clock: Clock;
  /** In [0, 1): the jitter of retries. */
  readonly random: () => number;
  /** How long an unavailable delivery is tried again, ms. */
  readonly patienceMs: number;
}

interface Lane {
  readonly queue: { readonly write: PartWrite; readonly bytes: number; readonly sinceMs: number }[];
  running: Promise<void> | undefined;
}

const retryBaseMs = 50;
const retryCapMs = 1_000;

export class SegmentPush implements WindowPush {
  readonly #options: SegmentPushOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #abort = new AbortController();
  #queuedBytes = 0;
  /** The open or end that waits its turn or is under way; parts behind it wait for it. */
  #barrier: Promise<void> | undefined;

  constructor(options: SegmentPushOptions) {
    this.#options = options;
  }

  /** Bytes of parts that delivery has not taken yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a part behind the others of its rendition. */
  part(write: PartWrite): void {
    if (this.#abort.signal.aborted) return;
    let lane = this.#lanes.get(write.rendition);
    if (lane === undefined) {
      lane = { queue: [], running: undefined };
      this.#lanes.set(write.rendition, lane);
    }
    const bytes = write.bytes.reduce((sum, slice) => sum + slice.byteLength, 0);
    this.#queuedBytes += bytes;
    lane.queue.push({ write, bytes, sinceMs: this.#options.clock.monotonicMs() });
    lane.running ??= this.#pump(lane);
  }

  /** Opens the window once all parts before are written. Undefined when the push failed. */
  async open(window: OpenWindow): Promise<WindowState | undefined> {
    let state: WindowState | undefined;
    await this.#afterParts(async () => {
      const opened = await this.#persist(() => this.#options.writer.open(window));
      if (opened.ok) state = opened.value;
    });
    return state;
  }

  /** Ends the broadcast once all parts are written. */
  async end(stream: Parameters<LiveWindowWriter['end']>[0]): Promise<void> {
    await this.#afterParts(async () => {
      await this.#persist(() => this.#options.writer.end(stream));
    });
  }

  /** Resolves when nothing is queued or under way, or the push has failed. */
  async idle(): Promise<void> {
    while (this.#barrier !== undefined || [...this.#lanes.values()].some((lane) => lane.running !== undefined)) {
      await Promise.all([this.#barrier, ...[...this.#lanes.values()].map((lane) => lane.running)]);
    }
  }

  /** Forgets what is queued; what is under way may still arrive. */
  abandon(): void {
    this.#abort.abort();
    for (const lane of this.#lanes.values()) lane.queue.length = 0;
    this.#queuedBytes = 0;
  }

  async #afterParts(run: () => Promise<void>): Promise<void> {
    const before = this.#barrier;
    const lanes = [...this.#lanes.values()].map((lane) => lane.running);
    const step = (async () => {
      await Promise.all([before, ...lanes]);
      if (!this.#abort.signal.aborted) await run();
    })();
    this.#barrier = step;
    await step;
    if (this.#barrier === step) this.#barrier = undefined;
  }

  async #pump(lane: Lane): Promise<void> {
    await this.#barrier;
    for (let next = lane.queue[0]; next !== undefined; next = lane.queue[0]) {
      const { write, bytes, sinceMs } = next;
      const taken = await this.#writePart(write);
      if (this.#abort.signal.aborted || !taken) break;
      lane.queue.shift();
      this.#queuedBytes -= bytes;
      this.#options.onWritten(write, this.#options.clock.monotonicMs() - sinceMs);
    }
    lane.running = undefined;
  }

  async #writePart(write: PartWrite): Promise<boolean> {
    let attempts = 0;
    const result = await this.#persist(async () => {
      const answer = await this.#options.writer.part(write);
      // An answer that got lost: delivery took the part, and expects the one behind it.
      if (attempts++ > 0 && !answer.ok && answer.error.kind === 'unexpected-part' && follows(answer.error, write))
        return ok();
      return answer;
    });
    return result.ok;
  }

  /** Tries until it works, is refused for good, or patience is over; then the push has failed. */
  async #persist<T>(call: () => Promise<Result<T, WriteRefusal>>): Promise<Result<T, WriteRefusal>> {
    const { clock, random, patienceMs } = this.#options;
    const startMs = clock.monotonicMs();
    for (let attempt = 0; ; attempt++) {
      const result = await call().catch(
        // The edge to another service: a writer that throws costs one source, not the process.
        (error: unknown): Result<T, WriteRefusal> =>
          err({ kind: 'unavailable', message: `the writer threw: ${String(error)}` }),
      );
      if (result.ok || this.#abort.signal.aborted) return result;
      this.#options.onRefused(result.error.kind);
      const patient = clock.monotonicMs() - startMs < patienceMs;
      if (result.error.kind !== 'unavailable' || !patient) {
        this.abandon();
        this.#options.onFailed(result.error);
        return result;
      }
      await sleep(clock, backoffMs(attempt, retryBaseMs, retryCapMs, random()), this.#abort.signal);
    }
  }
}

/** Whether the part that delivery expects is the one behind `write`. */
function follows(refusal: Extract<WriteRefusal, { kind: 'unexpected-part' }>, write: PartWrite): boolean {
  const { segment, part } = refusal.expected;
  return write.last
    ? segment === write.segment + 1 && part === 0
    : segment === write.segment && part === write.part + 1;
}

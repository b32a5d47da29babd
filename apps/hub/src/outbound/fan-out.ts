/**
 * Writes what was posted for clients: each client's messages of a turn with one call to the system, clients in slices, so that
 * ten thousand of them do not hold up the loop. The write is what costs; messages are framed once, elsewhere. A client that does
 * not take its bytes misses conflated messages, and is closed when the ordered ones pile up.
 */
import type { Client, Courier } from '../core/client.ts';
import type { SharedMessage } from '../core/shared-message.ts';
import type { HubMetrics } from '../metrics.ts';

export interface FanOutOptions {
  readonly metrics: HubMetrics;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** Unsent bytes of a client beyond which conflated messages are left out. */
  readonly conflatedLimitBytes: number;
  /** Unsent bytes beyond which it is closed. */
  readonly orderedLimitBytes: number;
  /** Told that a conflated message of a channel was left out. */
  readonly onSkipped: (client: Client, message: SharedMessage) => void;
}

/** Clients written to before the loop may turn to other things. */
const slice = 500;

export class FanOut implements Courier, Disposable {
  readonly #options: FanOutOptions;
  #scheduled: NodeJS.Immediate | undefined;
  #waiting: Client[] = [];
  #next = 0;
  #startedMs = 0;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  post(client: Client, message: SharedMessage): void {
    client.outbox.push(message);
    if (client.outbox.length > 1) return; // it is in line already
    if (this.#next === this.#waiting.length) this.#startedMs = this.#options.nowMs();
    this.#waiting.push(client);
    this.#scheduled ??= setImmediate(() => this.#writeSlice());
  }

  /** Writes all that is posted now, at once: for a process that is about to end. */
  flush(): void {
    while (this.#next < this.#waiting.length) this.#writeSlice();
  }

  [Symbol.dispose](): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#waiting = [];
    this.#next = 0;
  }

  #writeSlice(): void {
    this.#scheduled = undefined;
    const end = Math.min(this.#waiting.length, this.#next + slice);
    for (; this.#next < end; this.#next++) {
      const client = this.#waiting[this.#next];
      if (client !== undefined) this.#write(client);
    }
    if (this.#next < this.#waiting.length) {
      this.#scheduled = setImmediate(() => this.#writeSlice());
      return;
    }
    this.#options.metrics.broadcastSeconds.observe((this.#options.nowMs() - this.#startedMs) / 1000);
    this.#waiting = [];
    this.#next = 0;
  }

  #write(client: Client): void {
    const { metrics, conflatedLimitBytes, orderedLimitBytes, onSkipped } = this.#options;
    const { outlet } = client;
    const posted = client.outbox.splice(0);
    if (!outlet.isOpen) return;
    const queued = outlet.queuedBytes;
    if (queued > orderedLimitBytes) {
      outlet.close('slow');
      return;
    }
    let messages: readonly SharedMessage[] = posted;
    if (queued > conflatedLimitBytes) {
      messages = posted.filter((message) => !message.conflated);
      for (const message of posted) if (message.conflated) onSkipped(client, message);
      metrics.skipped.inc({ reason: 'slow' }, posted.length - messages.length);
    }
    if (messages.length === 0) return;
    metrics.bytesOut.inc(outlet.write(messages));
    metrics.messagesOut.inc(messages.length);
  }
}

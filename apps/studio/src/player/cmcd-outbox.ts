/**
 * Sends CMCD reports without ever being in the way: nothing before the picture moves (or some seconds have passed), one request at
 * a time, all waiting lines in it, the oldest dropped when the server stays away. What is left goes out as a beacon when the page
 * goes.
 */
import type { PageTime } from './browser-time.ts';

interface CmcdOutboxDeps {
  /** Path on this origin to post to; asked for at each sending. */
  readonly path: () => string;
  readonly fetch: (path: string, init: RequestInit) => Promise<{ readonly status: number }>;
  readonly beacon: (path: string, body: Blob) => boolean;
  readonly time: PageTime;
}

const contentType = 'application/cmcd';
const linesAtMost = 40;
/** Longest wait for the picture before a failing start is reported, ms. */
const heldForMs = 4_000;
/** Lines that come together go together, ms; after a failure the next try waits longer. */
const gatherMs = 250;
const retryMs = 10_000;
/** A report that is not taken by then is given up, ms. */
const timeoutMs = 10_000;

export class CmcdOutbox {
  readonly #deps: CmcdOutboxDeps;
  readonly #abort = new AbortController();
  readonly #hold: { cancel(): void };
  #lines: string[] = [];
  #timer: { cancel(): void } | undefined;
  #held = true;
  #sending = false;
  #unwanted = false;

  constructor(deps: CmcdOutboxDeps) {
    this.#deps = deps;
    this.#hold = deps.time.after(heldForMs, () => this.release());
  }

  put(line: string): void {
    if (this.#unwanted) return;
    this.#lines = [...this.#lines, line].slice(-linesAtMost);
    this.#sendAfter(gatherMs);
  }

  /** The picture moves: reports may use the network. */
  release(): void {
    this.#held = false;
    this.#hold.cancel();
    if (this.#lines.length > 0) this.#sendAfter(gatherMs);
  }

  /** Sends what is left with the page's last breath, and nothing after that. */
  close(): void {
    this.#hold.cancel();
    this.#timer?.cancel();
    if (!this.#unwanted && this.#lines.length > 0)
      this.#deps.beacon(this.#deps.path(), new Blob([this.#body()], { type: contentType }));
    this.#unwanted = true;
    this.#lines = [];
    this.#abort.abort();
  }

  #sendAfter(delayMs: number): void {
    if (this.#held || this.#sending || this.#timer !== undefined) return;
    this.#timer = this.#deps.time.after(delayMs, () => {
      this.#timer = undefined;
      void this.#send(); // its failures are retried or dropped within
    });
  }

  async #send(): Promise<void> {
    const lines = this.#lines;
    const body = this.#body();
    this.#lines = [];
    this.#sending = true;
    const status = await this.#post(body);
    this.#sending = false;
    if (this.#unwanted) return;
    if (status === undefined || status === 429 || status >= 500) {
      this.#lines = [...lines, ...this.#lines].slice(-linesAtMost);
      this.#sendAfter(retryMs);
      return;
    }
    // 410: the session does not want them any more; 404 and the like: this server takes none.
    if (status >= 400) {
      this.#unwanted = true;
      this.#lines = [];
    } else if (this.#lines.length > 0) this.#sendAfter(gatherMs);
  }

  async #post(body: string): Promise<number | undefined> {
    const deadline = new AbortController();
    const give = () => deadline.abort();
    const timer = this.#deps.time.after(timeoutMs, give);
    this.#abort.signal.addEventListener('abort', give, { once: true });
    try {
      const headers = { 'content-type': contentType };
      const init = { method: 'POST', headers, body, signal: deadline.signal, keepalive: true };
      return (await this.#deps.fetch(this.#deps.path(), init)).status;
    } catch {
      return undefined;
    } finally {
      timer.cancel();
      this.#abort.signal.removeEventListener('abort', give);
    }
  }

  #body(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

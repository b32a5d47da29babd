/**
 * One body from a URL, or the rest of one. When the connection breaks it is asked for the rest, if the server said by what the rest is known
 * to be of the same version (a strong ETag, or a Last-Modified that is strong: RFC 9110 8.8); what comes then is checked again, so that two
 * versions are never mixed. A server that cannot do that fails the download, and whoever wanted it begins anew.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { PublicAnswer, PublicFetch } from '@millrace/http';
import { backoffMs } from '@millrace/lifecycle';
import type { StoreFailure } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { rangeContinues, validatorOf } from '../core/range-answer.ts';
import { whyNotStored } from './store-refusals.ts';

export interface DownloadFailure {
  /** For the owner; never the URL. */
  readonly reason: string;
  /**
   * Whether asking again may help; `at-once`: the server is well, but has another version now; `elsewhere`: nothing is wrong, another
   * instance fetches it.
   */
  readonly retryable: boolean | 'at-once' | 'elsewhere';
}

/** What there is already of a body, from its first byte on. */
export interface DownloadedPart {
  readonly validator: string;
  readonly keptBytes: number;
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  readonly fetch: PublicFetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Largest body, bytes. */
  readonly maxBytes: number;
  /** What it is, for reasons: `original`, `picture`. */
  readonly what: string;
  readonly metrics: DownloadMetrics;
}

export interface DownloadMetrics {
  /** Every piece, before it is given on. */
  readonly importBytes: { inc(bytes: number): void };
  /** The rest was asked for. */
  readonly importResumes: { inc(): void };
}

/** Breaks in a row, none of which brought `worthBytes`, after which it is given up. */
const mostBreaks = 5;
/** So much between two breaks makes the server worth further tries. */
const worthBytes = 65_536;
/** Breaks in all: a server that never lets it finish does not hold a place for ever. */
const mostResumes = 1_000;

export class Download implements Disposable {
  readonly #url: string;
  readonly #options: DownloadOptions;
  #answer: PublicAnswer;
  #breaks = 0;
  #resumes = 0;
  /** Where the last break was. */
  #brokeAt = 0;
  /** What a rest is asked for by; undefined: it cannot be. */
  readonly validator: string | undefined;
  /** Where the body that is given begins: byte 0, or behind what there was already. */
  readonly startByte: number;
  /** Bytes of the whole that have come. */
  received: number;
  /** Of the whole body; undefined: the server did not say. */
  readonly total: number | undefined;
  /** Set when the body breaks for a reason of the server's. */
  #failure: DownloadFailure | undefined;

  private constructor(
    url: string,
    answer: PublicAnswer,
    about: Pick<Download, 'validator' | 'startByte' | 'total'>,
    options: DownloadOptions,
  ) {
    this.#url = url;
    this.#answer = answer;
    this.#options = options;
    this.validator = about.validator;
    this.total = about.total;
    this.startByte = about.startByte;
    this.received = about.startByte;
    this.#brokeAt = about.startByte;
  }

  /**
   * Asks for the body, or for what follows `there`, and resolves when it begins to come. From its first byte on after all where the server
   * has another version now, or gives no parts.
   */
  static async begin(
    url: string,
    options: DownloadOptions,
    there?: DownloadedPart,
  ): Promise<Result<Download, DownloadFailure>> {
    const { fetch, signal, maxBytes, metrics } = options;
    if (there !== undefined) metrics.importResumes.inc();
    const headers = there === undefined ? {} : restOf(there.keptBytes, there.validator);
    const asked = await fetch.fetch(url, { signal, headers });
    if (!asked.ok) return err(notAsked(asked.error));
    const answer = asked.value;
    if (there !== undefined && answer.status !== 200) {
      const { validator, keptBytes: startByte, totalBytes: total } = there;
      if (rangeContinues(answer, { validator, from: startByte, total })) {
        return ok(new Download(url, answer, { validator, startByte, total }, options));
      }
      answer[Symbol.dispose]();
      if ([206, 412, 416].includes(answer.status)) return Download.begin(url, options);
      return err(badStatus(answer.status, options.what));
    }
    const said = Number(answer.headers['content-length'] ?? Number.NaN);
    const total = Number.isSafeInteger(said) && said >= 0 ? said : undefined;
    const failure =
      answer.status !== 200
        ? badStatus(answer.status, options.what)
        : total !== undefined && total > maxBytes
          ? tooLarge(options, `${total} bytes`)
          : undefined;
    if (failure === undefined) {
      return ok(new Download(url, answer, { validator: validatorOf(answer.headers), startByte: 0, total }, options));
    }
    answer[Symbol.dispose]();
    return err(failure);
  }

  /**
   * Lets `write` take the body, once, and resolves with what it made of it. When the body does not come whole, that is why, whatever a
   * store says of a body that broke while it was written.
   */
  async into<T>(write: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<Result<T, DownloadFailure>> {
    const { signal } = this.#options;
    try {
      const written = await write(this.#bytes());
      signal.throwIfAborted();
      return this.#failure === undefined ? ok(written) : err(this.#failure);
    } catch (error) {
      if (this.#failure === undefined) throw error;
      signal.throwIfAborted();
      return err(this.#failure);
    }
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    const { signal, maxBytes, metrics } = this.#options;
    for (;;) {
      let broke: string;
      try {
        for await (const piece of this.#answer.bytes) {
          this.received += piece.byteLength;
          if (this.received > maxBytes) this.#fail(tooLarge(this.#options, 'more'));
          metrics.importBytes.inc(piece.byteLength);
          yield piece;
        }
        if (this.total === undefined || this.received === this.total) return;
        broke = `it ended after ${this.received} of ${this.total} bytes`;
      } catch (error) {
        if (this.#failure !== undefined) throw error;
        signal.throwIfAborted();
        broke = error instanceof Error ? error.message : 'no reason was given';
      }
      await this.#resume(`the server of the URL broke off: ${broke}`);
    }
  }

  [Symbol.dispose](): void {
    this.#answer[Symbol.dispose]();
  }

  /** Asks for the rest until it comes. */
  async #resume(reason: string): Promise<void> {
    const { fetch, clock, signal, metrics } = this.#options;
    this.#answer[Symbol.dispose]();
    const { validator } = this;
    if (validator === undefined || this.received === 0) this.#fail({ reason, retryable: true });
    if (this.received - this.#brokeAt >= worthBytes) this.#breaks = 0;
    this.#brokeAt = this.received;
    let why = reason;
    while (this.#breaks < mostBreaks && this.#resumes < mostResumes) {
      await sleep(clock, backoffMs(this.#breaks, 500, 30_000, Math.random()), signal);
      signal.throwIfAborted();
      this.#breaks += 1;
      this.#resumes += 1;
      metrics.importResumes.inc();
      const asked = await fetch.fetch(this.#url, { signal, headers: restOf(this.received, validator) });
      if (!asked.ok) {
        const failure = notAsked(asked.error);
        if (failure.retryable === false) this.#fail(failure);
        why = failure.reason;
        continue;
      }
      const answer = asked.value;
      if (rangeContinues(answer, { validator, from: this.received, total: this.total })) {
        this.#answer = answer;
        return;
      }
      answer[Symbol.dispose]();
      if ([200, 206, 412, 416].includes(answer.status)) {
        const detail = answer.status === 206 ? 'what came was another part, or of another version' : 'the whole came';
        this.#fail({ reason: `${reason}; asked for the rest, ${detail}`, retryable: 'at-once' });
      }
      const failure = badStatus(answer.status, this.#options.what);
      if (failure.retryable === false) this.#fail(failure);
      why = failure.reason;
    }
    this.#fail({ reason: why, retryable: true });
  }

  #fail(failure: DownloadFailure): never {
    this.#failure = failure;
    throw new Error(failure.reason);
  }
}

function restOf(from: number, validator: string) {
  return { range: `bytes=${from}-`, 'if-range': validator };
}

/** It came, and could not be kept. */
export function notStored(failure: StoreFailure, what: string): DownloadFailure {
  return { reason: whyNotStored(failure, what), retryable: true };
}

function notAsked({ kind, message }: { readonly kind: string; readonly message: string }): DownloadFailure {
  return { reason: `the URL cannot be fetched: ${message}`, retryable: kind === 'unreachable' };
}

function badStatus(status: number, what: string): DownloadFailure {
  const retryable = status === 429 || status === 408 || status >= 500;
  return { reason: `expected the ${what} from the URL, its server answered ${status}`, retryable };
}

function tooLarge({ maxBytes, what }: Pick<DownloadOptions, 'maxBytes' | 'what'>, got: string): DownloadFailure {
  return { reason: `expected the ${what} to have at most ${maxBytes} bytes, the URL has ${got}`, retryable: false };
}

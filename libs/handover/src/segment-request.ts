import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock, Timer } from '@millrace/clock';
import { err, ok, type Result } from '@millrace/result';
import { LineReader } from './line-reader.ts';
import { encodePartMark } from './part-mark.ts';
import type { PartWrite, WriteRefusal } from './window-port.ts';
import { decodeAnswer, decodeRefusal } from './window-wire.ts';

type Answer = Result<void, WriteRefusal>;

const maxAnswerBytes = 64 * 1024;
/** Parts of one request that may wait for their answer. The port writes one after another; more is a bug of the caller. */
const maxPending = 8;

interface Pending {
  readonly part: number;
  readonly resolve: (answer: Answer) => void;
  readonly timer: Timer;
}

/** One chunked PUT: takes the parts of a segment one after another and tells each one's own answer. */
export class SegmentRequest {
  readonly #request: ClientRequest;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending: Pending[] = [];
  #open = true;

  constructor(given: {
    readonly url: URL;
    readonly authorization: string;
    readonly agent: Agent;
    readonly clock: Clock;
    /** Longest wait for the answer to a part, ms. */
    readonly timeoutMs: number;
  }) {
    this.#clock = given.clock;
    this.#timeoutMs = given.timeoutMs;
    const { url, agent } = given;
    this.#request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'PUT',
      agent,
      headers: { authorization: given.authorization, 'content-type': 'video/mp4', 'transfer-encoding': 'chunked' },
    });
    this.#request.setNoDelay(true);
    this.#request.on('response', (response) => this.#answered(response));
    this.#request.on('error', (error) => this.#fail(error.message));
    this.#request.on('close', () => this.#fail('delivery closed the connection'));
  }

  /** Whether further parts of the segment may follow. */
  get open(): boolean {
    return this.#open;
  }

  /** Sends a part and resolves with delivery's answer to it. */
  part(write: PartWrite): Promise<Answer> {
    return new Promise((resolve) => {
      if (!this.#open || this.#pending.length >= maxPending) {
        return resolve(unavailable(this.#open ? `${maxPending} parts wait for an answer` : 'the request is over'));
      }
      const timer = this.#clock.after(this.#timeoutMs, () => {
        this.#fail(`no answer within ${this.#timeoutMs} ms`);
        this.#request.destroy();
      });
      this.#pending.push({ part: write.part, resolve, timer });
      this.#request.cork();
      this.#request.write(encodePartMark(write));
      for (const slice of write.bytes) this.#request.write(slice);
      if (write.last)
        this.finish(); // uncorks
      else this.#request.uncork();
    });
  }

  /** Ends the request in order; what was sent still gets its answers. */
  finish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#request.end();
  }

  /** Cuts the connection. */
  abort(): void {
    this.#fail('the writer was closed');
    this.#request.destroy();
  }

  #answered(response: IncomingMessage): void {
    response.on('error', (error) => this.#fail(error.message));
    if (response.statusCode === 200) {
      const lines = new LineReader(maxAnswerBytes);
      response.on('data', (bytes: Uint8Array) => this.#heard(lines, bytes));
      response.on('end', () => this.#fail('delivery ended its answer'));
      return;
    }
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (more: string) => {
      if (text.length < maxAnswerBytes) text += more;
    });
    response.on('end', () => this.#refuse(decodeRefusal(response.statusCode ?? 0, text)));
  }

  #heard(lines: LineReader, bytes: Uint8Array): void {
    const texts = lines.feed(bytes);
    if (!texts.ok) return this.#fail(texts.error.message);
    for (const text of texts.value) {
      const answer = decodeAnswer(text);
      if (answer === undefined) return this.#fail(`not an answer of ours: ${text.slice(0, 80)}`);
      if (answer.refusal !== undefined) return this.#refuse(answer.refusal);
      const pending = this.#pending.shift();
      if (pending?.part !== answer.part) return this.#fail(`expected an answer to part ${pending?.part}, got ${text}`);
      pending.timer.cancel();
      pending.resolve(ok());
    }
  }

  #refuse(refusal: WriteRefusal): void {
    this.#settle(err(refusal));
    // Ends the body so that the connection can carry the next segment.
    if (!this.#request.writableEnded) this.#request.end();
  }

  #fail(message: string): void {
    this.#settle(unavailable(message));
    if (!this.#request.writableEnded) this.#request.destroy();
  }

  #settle(answer: Answer): void {
    this.#open = false;
    for (const pending of this.#pending.splice(0)) {
      pending.timer.cancel();
      pending.resolve(answer);
    }
  }
}

function unavailable(message: string): Answer {
  return err({ kind: 'unavailable', message });
}

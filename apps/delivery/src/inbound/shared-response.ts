/**
 * One answer for many: head and body are made once and written to every socket that asks. Where the connection is an
 * ordinary keep-alive one whose turn it is, the whole answer goes out in one write, past ServerResponse's header
 * building, which is most of what an answer costs (docs/decisions/0053). Everywhere else (HTTP/1.0, pipelined requests
 * behind another, `Connection: close`, a draining server) it goes through ServerResponse.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Later } from '../core/waiting-room.ts';

const atOnce: Later = (work) => work();

/** Header names and values in turn. */
export type HeaderList = readonly string[];

/** Bodies up to this size are kept joined with their head; larger ones go out by writev. */
const joinedBytes = 32 * 1024;
/** A Date older than this is not sent. */
const dateMs = 1_000;

export class SharedResponse {
  readonly status: number;
  readonly size: number;
  readonly #headers: HeaderList;
  readonly #body: readonly Uint8Array[];
  readonly #storedAtMs: number | undefined;
  #head: Buffer | undefined;
  #joined: Buffer | undefined;
  #headDateMs = Number.NEGATIVE_INFINITY;

  /**
   * `headers` without Date, Age, Content-Length and Connection. A 304 or 204 has an empty body. What is a copy says since
   * when (`storedAtMs`, wall clock) and gets an Age (RFC 9111 5.1).
   */
  constructor(status: number, headers: HeaderList, body: readonly Uint8Array[], storedAtMs?: number) {
    this.status = status;
    this.#storedAtMs = storedAtMs;
    this.#body = body;
    this.size = body.reduce((sum, slice) => sum + slice.byteLength, 0);
    this.#headers = status === 204 ? headers : [...headers, 'Content-Length', String(this.size)];
  }

  /**
   * Answers `request`; for HEAD with the head alone. `nowMs` is the wall clock. node:http is told through `later`, so that
   * of many answers all can be written first. Returns the bytes of body sent.
   */
  send(request: IncomingMessage, response: ServerResponse, nowMs: number, later: Later = atOnce): number {
    if (response.headersSent || response.destroyed) return 0;
    const withBody = request.method !== 'HEAD';
    const { socket } = response;
    if (socket === null || !mayWriteRaw(request, response)) {
      this.#sendSlowly(response, withBody, nowMs);
      return withBody ? this.size : 0;
    }
    this.#dateHead(nowMs);
    if (!withBody) socket.write(this.#head ?? '');
    else if (this.#joined !== undefined) socket.write(this.#joined);
    else {
      socket.cork();
      socket.write(this.#head ?? '');
      for (const slice of this.#body) socket.write(slice);
      socket.uncork();
    }
    later(() => finishRaw(response, this.status));
    return withBody ? this.size : 0;
  }

  #sendSlowly(response: ServerResponse, withBody: boolean, nowMs: number): void {
    response.writeHead(this.status, [...this.#headers, ...this.#age(nowMs)]);
    if (withBody) for (const slice of this.#body) response.write(slice);
    response.end();
  }

  #age(nowMs: number): HeaderList {
    if (this.#storedAtMs === undefined) return [];
    return ['Age', String(Math.max(0, Math.floor((nowMs - this.#storedAtMs) / 1000)))];
  }

  #dateHead(nowMs: number): void {
    if (this.#head !== undefined && Math.abs(nowMs - this.#headDateMs) < dateMs) return;
    const lines = [`HTTP/1.1 ${this.status} ${STATUS_CODES[this.status] ?? ''}`];
    const headers = [...this.#headers, ...this.#age(nowMs)];
    for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
    lines.push(`Date: ${new Date(nowMs).toUTCString()}`);
    this.#head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    this.#joined = this.size <= joinedBytes ? Buffer.concat([this.#head, ...this.#body]) : undefined;
    this.#headDateMs = nowMs;
  }
}

/** It is this answer's turn on a connection that stays open, and nobody has set headers of his own. */
function mayWriteRaw(request: IncomingMessage, response: ServerResponse): boolean {
  return (
    response.socket !== null &&
    !response.socket.destroyed &&
    request.httpVersionMajor === 1 &&
    request.httpVersionMinor === 1 &&
    response.shouldKeepAlive &&
    !response.hasHeader('connection')
  );
}

/**
 * Tells node:http that the answer is out: on `finish` it frees the connection for the next request, pipelined ones
 * included. `finished` and the private header mark keep `headersSent` and `writableFinished` truthful for observers.
 */
function finishRaw(response: ServerResponse, status: number): void {
  if (response.destroyed || response.socket === null) return; // the connection broke meanwhile
  response.statusCode = status;
  Object.assign(response, { finished: true, _header: 'written to the socket' });
  response.emit('finish');
}

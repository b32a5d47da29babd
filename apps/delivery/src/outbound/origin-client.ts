/** Asks one origin, over kept-alive connections that are bounded in number; answers are bounded in size and time. */
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as TlsAgent } from 'node:https';
import type { Clock } from '@millrace/clock';
import { decodeAbsence } from '../core/origin-wire.ts';
import type { Absence } from '../core/playback-source.ts';

export type OriginReply =
  | { readonly kind: 'found'; readonly bytes: Buffer; readonly headers: IncomingMessage['headers'] }
  | { readonly kind: 'absent'; readonly absence: Absence }
  /** The origin is not to be relied on, or (`cancelled`) nobody wants the answer any more. */
  | { readonly kind: 'failed'; readonly reason: UpstreamFailure; readonly message: string };

/** A bounded set, for a metric's `reason`. */
export type UpstreamFailure =
  | 'unreachable'
  | 'stale-connection'
  | 'cut-off'
  | 'timed-out'
  | 'too-long'
  | 'bad-answer'
  | 'bad-token'
  | 'too-busy'
  | 'cancelled';

export interface OriginRequest {
  readonly path: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface OriginClientOptions {
  /** As the workers and the other edges spell it: rendezvous hashing goes by it. */
  readonly name: string;
  readonly serviceToken: string;
  /** Connections; as many requests again may wait for one. */
  readonly mostSockets: number;
  /** Bytes of answers that are on their way at once. */
  readonly mostBytes: number;
  readonly clock: Clock;
}

export class OriginClient implements Disposable {
  readonly name: string;
  readonly #options: OriginClientOptions;
  readonly #agent: Agent;
  readonly #secure: boolean;
  #running = 0;
  #bytes = 0;

  constructor(options: OriginClientOptions) {
    this.name = options.name;
    this.#options = options;
    this.#secure = options.name.startsWith('https:');
    const settings = {
      keepAlive: true,
      maxSockets: options.mostSockets,
      maxFreeSockets: 64,
      scheduling: 'lifo',
    } as const;
    this.#agent = this.#secure ? new TlsAgent(settings) : new Agent(settings);
  }

  /** Requests under way or waiting for a connection. */
  get running(): number {
    return this.#running;
  }

  /** Never rejects. */
  async get(request: OriginRequest): Promise<OriginReply> {
    if (this.#running >= 2 * this.#options.mostSockets) {
      return failed('too-busy', `${this.#running} requests are under way to ${this.name}`);
    }
    this.#running++;
    try {
      const reply = await this.#send(request);
      // The origin closed a kept connection while the request was on its way: nothing says that it is not there.
      return reply.kind === 'failed' && reply.reason === 'stale-connection' ? await this.#send(request) : reply;
    } finally {
      this.#running--;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send({ path, timeoutMs, maxBytes, signal }: OriginRequest): Promise<OriginReply> {
    const { clock, serviceToken, mostBytes } = this.#options;
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve(failed('cancelled', 'nobody waits any more'));
      const headers = { authorization: `Bearer ${serviceToken}`, 'accept-encoding': 'gzip' };
      const send = this.#secure ? requestHttps : requestHttp;
      const request: ClientRequest = send(`${this.name}${path}`, { agent: this.#agent, headers });
      let size = 0;
      let settled = false;
      const settle = (reply: OriginReply) => {
        if (settled) return;
        settled = true;
        this.#bytes -= size;
        timer.cancel();
        signal?.removeEventListener('abort', cancel);
        resolve(reply);
        if (reply.kind === 'failed') request.destroy();
      };
      const cancel = () => settle(failed('cancelled', 'nobody waits any more'));
      const timer = clock.after(timeoutMs, () => settle(failed('timed-out', `no answer within ${timeoutMs} ms`)));
      signal?.addEventListener('abort', cancel, { once: true });
      request.on('error', (error) => {
        settle(failed(request.reusedSocket ? 'stale-connection' : 'unreachable', error.message));
      });
      request.on('response', (response) => {
        const slices: Buffer[] = [];
        response.on('error', (error) => settle(failed('cut-off', error.message)));
        response.on('data', (bytes: Buffer) => {
          if (settled) return;
          size += bytes.length;
          this.#bytes += bytes.length;
          if (this.#bytes > mostBytes) return settle(failed('too-busy', `${mostBytes} bytes are on their way`));
          if (size > maxBytes) return settle(failed('too-long', `expected at most ${maxBytes} bytes at ${path}`));
          slices.push(bytes);
        });
        response.on('end', () => {
          // Aborted bodies without a length look complete; `complete` knows.
          if (!response.complete) return settle(failed('cut-off', 'the answer was cut off'));
          settle(replyOf(response, Buffer.concat(slices, size)));
        });
        response.on('close', () => settle(failed('cut-off', 'the answer was cut off')));
      });
      request.end();
    });
  }
}

function replyOf(response: IncomingMessage, bytes: Buffer): OriginReply {
  const status = response.statusCode ?? 0;
  if (status === 200) return { kind: 'found', bytes, headers: response.headers };
  if (status === 401) return failed('bad-token', 'the origin refused the service token');
  const absence = decodeAbsence(status, bytes.toString('utf8'));
  if (absence === undefined) return failed('bad-answer', `the origin answered ${status}`);
  return { kind: 'absent', absence };
}

function failed(reason: UpstreamFailure, message: string): OriginReply {
  return { kind: 'failed', reason, message };
}

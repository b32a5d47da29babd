import type { ServerResponse } from 'node:http';
import type { Channel, HubMessage } from '@millrace/api';
import { type Problem, problem, writeProblem } from '@millrace/http';
import type { CloseCause, Outlet } from '../core/outlet.ts';
import type { SharedMessage } from '../core/shared-message.ts';
import { type EventId, encodeEventId } from './event-id.ts';

/** The part of an event that is equal for all (HTML, 9.2.6: a data line never holds a line end, JSON has none). */
function eventBody(json: string): Uint8Array {
  return Buffer.from(`data: ${json}\n\n`);
}

export interface EventStreamOptions {
  readonly response: ServerResponse;
  readonly channels: readonly Channel[];
  readonly headers: Readonly<Record<string, string>>;
  /** Where the client stands; the positions of two boards in one. */
  readonly from: EventId;
  readonly onClose: (cause: CloseCause) => void;
}

/**
 * Server-sent events. The id of an event is where the client stands in all its channels, so it is only given once each of them has
 * been answered. As long as nothing but refusals came, the answer can still be an HTTP error, after which a browser does not
 * try again.
 */
export class EventStreamOutlet implements Outlet {
  readonly #options: EventStreamOptions;
  readonly #going: Set<Channel>;
  readonly #unanswered: Set<Channel>;
  readonly #held: SharedMessage[] = [];
  #position: EventId;
  #closing = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#going = new Set(options.channels);
    this.#unanswered = new Set(options.channels);
    this.#position = options.from;
  }

  get isOpen(): boolean {
    const { response } = this.#options;
    return !this.#closing && !response.destroyed && !response.writableEnded;
  }

  get queuedBytes(): number {
    return this.#options.response.writableLength;
  }

  write(messages: readonly SharedMessage[]): number {
    const { response } = this.#options;
    let bytes = 0;
    response.cork();
    for (const message of messages) bytes += this.#writeOne(message);
    response.uncork();
    if (this.#going.size === 0 && this.isOpen) this.#end();
    return bytes;
  }

  /** A line that means nothing, so that proxies keep the connection and a dead one is noticed. */
  ping(): void {
    if (this.isOpen && this.#options.response.headersSent) this.#options.response.write(':\n\n');
  }

  close(cause: CloseCause): void {
    if (!this.isOpen) return;
    this.#options.onClose(cause);
    const { response } = this.#options;
    if (cause === 'draining') this.#end();
    else {
      this.#closing = true;
      response.destroy();
    }
  }

  terminate(): void {
    this.#closing = true;
    this.#options.response.destroy();
  }

  #writeOne(shared: SharedMessage): number {
    const { message } = shared;
    if (message.op === 'reconnect') return this.#writeText(`retry: ${message.after_ms}\n\n`);
    if (!('channel' in message) || message.channel === undefined) return 0;
    this.#unanswered.delete(message.channel);
    if (message.op === 'unsubscribed' || message.op === 'refused') {
      this.#going.delete(message.channel);
      if (!this.#options.response.headersSent) {
        this.#held.push(shared);
        if (this.#going.size === 0) this.#refuse(message);
        return 0;
      }
    }
    this.#begin();
    if ('position' in message && message.position !== undefined) {
      const { epoch, offset } = message.position;
      const board = isOfJobs(message.channel) ? 'jobs' : 'streams';
      this.#position = { ...this.#position, epoch, [board]: offset };
    }
    return this.#writeEvent(shared);
  }

  #begin(): void {
    const { response, headers } = this.#options;
    if (response.headersSent) return;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would gather events before it passes them on.
      'x-accel-buffering': 'no',
    });
    for (const held of this.#held.splice(0)) this.#writeEvent(held);
  }

  #writeEvent(shared: SharedMessage): number {
    const body = shared.encoded(eventBody);
    let bytes = body.length;
    if (this.#unanswered.size === 0) bytes += this.#writeText(`id: ${encodeEventId(this.#position)}\n`);
    this.#options.response.write(body);
    return bytes;
  }

  #writeText(text: string): number {
    this.#begin();
    this.#options.response.write(text);
    return text.length;
  }

  #refuse(message: Extract<HubMessage, { op: 'unsubscribed' | 'refused' }>): void {
    this.#closing = true;
    writeProblem(this.#options.response, refusalOf(message));
  }

  #end(): void {
    this.#closing = true;
    this.#options.response.end();
  }
}

export function isOfJobs(channel: Channel): boolean {
  return channel === 'jobs' || channel.startsWith('job:');
}

function refusalOf(message: Extract<HubMessage, { op: 'unsubscribed' | 'refused' }>): Problem {
  const { detail } = message;
  if (message.op === 'refused') return problem(401, 'token-refused', 'Token refused', { detail });
  if (message.reason === 'gone') return problem(404, 'not-found', 'Not found', { detail });
  if (message.reason === 'token-expired') return problem(401, 'token-expired', 'Token expired', { detail });
  return problem(403, 'forbidden', 'Forbidden', { detail });
}

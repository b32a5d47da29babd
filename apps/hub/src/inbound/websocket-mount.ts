/** `/ws`: one JSON object a text frame, as @millrace/api's hub protocol has it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type HubRequest, hubRequestSchema } from '@millrace/api';
import type { TokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import { type HttpMount, problem, writeProblem } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { type WebSocket, WebSocketServer } from 'ws';
import { Client, type Courier } from '../core/client.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import type { HubMetrics } from '../metrics.ts';
import type { Door, DoorRefusal } from './door.ts';
import type { HubDesk } from './hub-desk.ts';
import { WebSocketOutlet } from './websocket-outlet.ts';

export interface WebSocketMountOptions {
  readonly desk: HubDesk;
  readonly door: Door;
  readonly courier: Courier;
  readonly tokens: TokenVerifier;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HubMetrics;
  readonly instanceId: string;
  readonly maxRequestsPerS: number;
  readonly pingMs: number;
}

interface Line {
  readonly client: Client;
  readonly outlet: WebSocketOutlet;
  readonly requests: TokenBucket;
  /** Requests that came and are not done: they are carried out one after another. */
  readonly inbox: HubRequest[];
  working: boolean;
  /** Nothing was heard since the last ping. */
  silent: boolean;
}

/** A request is an operation, a channel, a position and a token at most. */
const maxPayloadBytes = 4 * 1024;
/** Compression would cost memory for each socket, and frames could not be shared. */
const serverOptions = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: maxPayloadBytes,
  /** Longest closing handshake, ms. */
  closeTimeout: 2_000,
};
/** Requests that may wait for a token to be verified. */
const mostInInbox = 64;

export class WebSocketMount implements HttpMount {
  readonly prefix = '/ws';
  readonly holdsAnswers = true;
  readonly #options: WebSocketMountOptions;
  readonly #lines = new Set<Line>();
  readonly #server = new WebSocketServer(serverOptions);

  constructor(options: WebSocketMountOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#lines.size;
  }

  get clients(): readonly Client[] {
    return [...this.#lines].map(({ client }) => client);
  }

  handle: HttpMount['handle'] = (_request, response) => {
    const detail = 'expected a WebSocket handshake (RFC 6455); /api/v1/events speaks server-sent events';
    writeProblem(response, problem(426, 'upgrade-required', 'Upgrade required', { detail }), {
      upgrade: 'websocket',
      connection: 'Upgrade',
    });
  };

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const seat = this.#options.door.enter(request);
    if (!('kind' in seat)) return this.#refuse(socket, seat);
    socket.once('close', () => seat.leave());
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket));
  }

  /** Asks quiet clients for a sign of life and lets go who gave none since the last time. Called once each `pingMs`. */
  pingAll(share: number, of: number): void {
    let number = 0;
    for (const line of this.#lines) {
      if (number++ % of !== share) continue;
      if (line.silent) line.outlet.close('silent');
      else line.outlet.ping();
      line.silent = true;
    }
  }

  /** Closes every connection now, whatever is on its way. */
  terminate(): void {
    for (const { outlet } of this.#lines) outlet.terminate();
  }

  #refuse(socket: Duplex, { reason, status, detail }: DoorRefusal): void {
    this.#options.metrics.refused.inc({ reason });
    const texts = { 403: 'Forbidden', 429: 'Too Many Requests', 503: 'Service Unavailable' } as const;
    const retry = status === 403 ? '' : 'retry-after: 1\r\n';
    socket.end(
      `HTTP/1.1 ${status} ${texts[status]}\r\nconnection: close\r\n${retry}` +
        `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(detail)}\r\n\r\n${detail}`,
    );
  }

  #open(ws: WebSocket, socket: Duplex): void {
    const { clock, courier, desk, metrics, instanceId, maxRequestsPerS, pingMs } = this.#options;
    const outlet = new WebSocketOutlet(ws, socket, (cause) => metrics.closed.inc({ reason: cause }));
    const client = new Client(outlet, courier);
    const requests = new TokenBucket(maxRequestsPerS, maxRequestsPerS * 4, clock.monotonicMs());
    const line: Line = { client, outlet, requests, inbox: [], working: false, silent: false };
    this.#lines.add(line);
    metrics.accepted.inc({ transport: 'websocket' });
    ws.on('message', (data: Buffer, isBinary: boolean) => this.#onMessage(line, data, isBinary));
    ws.on('pong', () => {
      line.silent = false;
    });
    ws.on('ping', () => this.#mayAsk(line));
    ws.on('error', (error: Error & { code?: string }) => metrics.closed.inc({ reason: causeOf(error.code) }));
    ws.once('close', () => {
      this.#lines.delete(line);
      desk.left(client);
    });
    client.send({ op: 'hello', protocol: 1, instance: instanceId, ping_ms: pingMs });
  }

  /** Counts what came against the client's rate; closes who asks too much. */
  #mayAsk(line: Line): boolean {
    line.silent = false;
    if (line.requests.take(this.#options.clock.monotonicMs())) return true;
    line.outlet.close('flood');
    return false;
  }

  #onMessage(line: Line, data: Buffer, isBinary: boolean): void {
    if (!line.outlet.isOpen || !this.#mayAsk(line)) return;
    if (isBinary) return line.outlet.close('not-text');
    const request = parseRequest(data);
    if (typeof request === 'string') {
      this.#options.metrics.requestsRefused.inc({ reason: 'bad-request' });
      return line.client.send({ op: 'refused', code: 'bad-request', detail: request });
    }
    if (line.inbox.length >= mostInInbox) return line.outlet.close('flood');
    line.inbox.push(request);
    if (!line.working) void this.#work(line);
  }

  async #work(line: Line): Promise<void> {
    line.working = true;
    for (let next = line.inbox.shift(); next !== undefined; next = line.inbox.shift()) {
      try {
        await this.#options.desk.handle(line.client, next);
      } catch (error) {
        this.#options.log.error('request-crashed', { op: next.op, error });
        line.outlet.terminate();
      }
      if (!line.outlet.isOpen) line.inbox.length = 0;
    }
    line.working = false;
  }
}

/** The request, or what is wrong with it. */
function parseRequest(data: Buffer): HubRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return 'expected one JSON object in a text frame';
  }
  const parsed = hubRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'is not as documented'}`.slice(0, 300);
}

function causeOf(code: string | undefined): string {
  switch (code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return 'oversize';
    case 'WS_ERR_INVALID_UTF8':
      return 'bad-utf8';
    default:
      return code?.startsWith('WS_ERR_') === true ? 'protocol' : 'broken';
  }
}

/** `GET /api/v1/events?channels=streams,stream:...`: the hub's channels as server-sent events. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Channel, channelSchema } from '@millrace/api';
import type { ApiClaims, TokenVerifier } from '@millrace/auth';
import { type HttpMount, type Problem, problem, writeProblem } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import { Client, type Courier } from '../core/client.ts';
import type { HubMetrics } from '../metrics.ts';
import type { Door } from './door.ts';
import { parseEventId } from './event-id.ts';
import { EventStreamOutlet, isOfJobs } from './event-stream-outlet.ts';
import type { HubDesk } from './hub-desk.ts';

export interface EventStreamMountOptions {
  readonly desk: HubDesk;
  readonly door: Door;
  readonly courier: Courier;
  readonly tokens: TokenVerifier;
  readonly log: Logger;
  readonly metrics: HubMetrics;
  readonly maxSubscriptions: number;
}

interface Wish {
  readonly channels: readonly Channel[];
  /** Playback token, for private streams. */
  readonly ticket: string | undefined;
  readonly bearer: string | undefined;
  readonly lastEventId: string;
}

export class EventStreamMount implements HttpMount {
  readonly prefix = '/api/v1/events';
  readonly holdsAnswers = true;
  readonly #options: EventStreamMountOptions;
  readonly #open = new Map<Client, EventStreamOutlet>();

  constructor(options: EventStreamMountOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  get clients(): readonly Client[] {
    return [...this.#open.keys()];
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { door, metrics, log } = this.#options;
    const wish = this.#wishOf(request);
    if (!wish.ok) {
      metrics.requestsRefused.inc({ reason: 'bad-request' });
      return writeProblem(response, wish.error, wish.error.status === 405 ? { allow: 'GET' } : {});
    }
    const seat = door.enter(request);
    if (!('kind' in seat)) {
      metrics.refused.inc({ reason: seat.reason });
      const refusal = problem(seat.status, seat.reason, 'Refused', { detail: seat.detail });
      return writeProblem(response, refusal, seat.status === 403 ? {} : { 'retry-after': '1' });
    }
    response.once('close', () => seat.leave());
    this.#begin(request, response, wish.value).catch((error: unknown) => {
      log.error('request-crashed', { op: 'events', error });
      response.destroy();
    });
  }

  pingAll(share: number, of: number): void {
    let number = 0;
    for (const outlet of this.#open.values()) if (number++ % of === share) outlet.ping();
  }

  terminate(): void {
    for (const outlet of this.#open.values()) outlet.terminate();
  }

  async #begin(request: IncomingMessage, response: ServerResponse, wish: Wish): Promise<void> {
    const { desk, courier, tokens, metrics } = this.#options;
    let claims: ApiClaims | undefined;
    if (wish.bearer !== undefined) {
      const verified = await tokens.verifyApiToken(wish.bearer);
      if (!verified.ok) {
        const { kind, message } = verified.error;
        metrics.requestsRefused.inc({ reason: kind });
        const status = kind === 'not-ready' ? 503 : 401;
        return writeProblem(response, problem(status, kind, 'Token refused', { detail: message }));
      }
      claims = verified.value;
    }
    if (response.destroyed) return;
    const from = parseEventId(wish.lastEventId);
    const { origin } = request.headers;
    const outlet = new EventStreamOutlet({
      ...{ response, channels: wish.channels, from },
      headers: origin === undefined ? {} : { 'access-control-allow-origin': origin, vary: 'origin' },
      onClose: (cause) => metrics.closed.inc({ reason: cause }),
    });
    const client = new Client(outlet, courier);
    this.#open.set(client, outlet);
    metrics.accepted.inc({ transport: 'sse' });
    response.on('error', () => {}); // `close` follows
    response.once('close', () => {
      this.#open.delete(client);
      desk.left(client);
    });
    if (claims !== undefined && wish.bearer !== undefined) desk.authenticated(client, wish.bearer, claims);
    for (const channel of wish.channels) {
      const offset = isOfJobs(channel) ? from.jobs : from.streams;
      await desk.handle(client, {
        ...{ op: 'subscribe', channel },
        ...(from.epoch === '' || offset === '' ? {} : { after: { epoch: from.epoch, offset } }),
        ...(wish.ticket !== undefined && channel.startsWith('stream:') ? { token: wish.ticket } : {}),
      });
    }
  }

  #wishOf(request: IncomingMessage): Result<Wish, Problem> {
    if (request.method !== 'GET') {
      const detail = `expected GET, got ${request.method}`;
      return err(problem(405, 'method-not-allowed', 'Method not allowed', { detail }));
    }
    const target = new URL(request.url ?? '', 'http://hub');
    if (target.pathname !== this.prefix) {
      return err(problem(404, 'not-found', 'Not found', { detail: `expected ${this.prefix}` }));
    }
    const names = (target.searchParams.get('channels') ?? '').split(',').filter(Boolean);
    const channels: Channel[] = [];
    for (const name of new Set(names)) {
      const parsed = channelSchema.safeParse(name);
      if (!parsed.success) return badRequest(`expected a channel such as streams, got "${name.slice(0, 80)}"`);
      channels.push(parsed.data);
    }
    const { maxSubscriptions } = this.#options;
    if (channels.length === 0 || channels.length > maxSubscriptions) {
      return badRequest(`channels: expected 1 to ${maxSubscriptions} channels, comma-separated`);
    }
    const { authorization } = request.headers;
    const bearer = authorization === undefined ? undefined : /^Bearer (\S{1,4096})$/i.exec(authorization)?.[1];
    if (authorization !== undefined && bearer === undefined)
      return badRequest('expected "Authorization: Bearer <token>"');
    return ok({
      ...{ channels, bearer, ticket: target.searchParams.get('token') ?? undefined },
      lastEventId: String(request.headers['last-event-id'] ?? target.searchParams.get('last_event_id') ?? ''),
    });
  }
}

function badRequest(detail: string): Result<never, Problem> {
  return err(problem(400, 'bad-request', 'Bad request', { detail }));
}

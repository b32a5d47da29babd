import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Problem, problem, writeProblem } from '@millrace/http';
import type { StreamId } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import type { PlaybackPath } from '../core/playback-path.ts';
import { type Absence, type Answer, answered, type Leave, type UnavailableReason } from '../core/playback-source.ts';
import type { Later } from '../core/waiting-room.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { type Audience, corsFields } from './response-headers.ts';

/** One request of a player whose path was understood. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: PlaybackPath;
  /** The query, without `?`. */
  readonly search: string;
}

/** An exchange of somebody who may play the stream. */
export interface AdmittedExchange extends Exchange {
  readonly streamId: StreamId;
  readonly ownerId: string;
  readonly audience: Audience;
}

/** What counting viewers and taking their reports needs of a request, be it for a stream or for a video. */
export interface WatchExchange {
  readonly request: IncomingMessage;
  readonly search: string;
  /** Id of the stream, or of the video. */
  readonly streamId: string;
  readonly ownerId: string;
  readonly path: { readonly playbackId: string; readonly target: WatchTarget };
}
export type WatchTarget =
  | { readonly kind: 'multivariant' }
  | { readonly kind: 'media' }
  | { readonly kind: 'media-playlist'; readonly session: string }
  | { readonly kind: 'beacons'; readonly session: string | undefined };

/** Takes a request through all checks again, because what it waited for is gone. */
export type Restart = (exchange: AdmittedExchange) => void;

/** What a metric calls a resource. */
export type Resource = 'multivariant' | 'playlist' | 'init' | 'segment' | 'part' | 'beacons' | 'unknown' | 'preflight';

/** The resource that a path names. */
export function resourceOf(path: PlaybackPath | undefined): Resource {
  if (path === undefined) return 'unknown';
  const { target } = path;
  if (target.kind === 'media') return target.file.kind;
  return target.kind === 'media-playlist' ? 'playlist' : target.kind;
}

/** Refusals of playback requests, as problem documents that other sites' pages may read. */
export class Refusals {
  readonly #metrics: Pick<DeliveryMetrics, 'responses'>;

  constructor(metrics: Pick<DeliveryMetrics, 'responses'>) {
    this.#metrics = metrics;
  }

  /** `keepS`: how long a cache may keep the refusal; 0 not at all. */
  send(
    response: ServerResponse,
    resource: Resource,
    value: Problem,
    extra: { readonly keepS?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ): void {
    if (response.destroyed || response.writableEnded) return;
    this.#metrics.responses.inc({ resource, status: String(value.status) });
    if (extra.keepS !== undefined && extra.keepS > 0) return writeKept(response, value, extra.keepS);
    writeProblem(response, value, { ...corsFields, ...extra.headers });
  }

  notFound(exchange: Exchange, detail: string): void {
    const resource = resourceOf(exchange.path);
    this.send(exchange.response, resource, problem(404, 'not-found', 'Not found', { detail }), { keepS: 1 });
  }

  /** The stream exists, but there is nothing to play. */
  notLive(exchange: Exchange, reason: 'not-live' | 'ended'): void {
    const title = reason === 'ended' ? 'The broadcast is over' : 'The stream is not live';
    this.send(exchange.response, resourceOf(exchange.path), problem(404, reason, title));
  }

  /** Too much at once, or nothing came in time: the player may try again. */
  unavailable(exchange: Exchange, kind: UnavailableReason, detail: string): void {
    const titles = {
      'timed-out': 'No new part came in time',
      'too-busy': 'Too many requests are held',
      starting: 'The service is starting',
      draining: 'The service is stopping',
      'origin-away': 'No origin answers',
    } as const;
    const value = problem(503, kind, titles[kind], { detail });
    const headers = { 'retry-after': '1', ...(kind === 'draining' ? { connection: 'close' } : {}) };
    this.send(exchange.response, resourceOf(exchange.path), value, { headers });
  }

  /** There is nothing to send, for whatever reason but `ask-again`. */
  absent(exchange: Exchange, absence: Exclude<Absence, { readonly kind: 'ask-again' }>): void {
    switch (absence.kind) {
      case 'not-live':
      case 'ended':
        return this.notLive(exchange, absence.kind);
      case 'not-found':
        return this.notFound(exchange, absence.detail);
      case 'bad-request':
        return this.badRequest(exchange, absence.detail);
      case 'unavailable':
        return this.unavailable(exchange, absence.reason, absence.detail);
      default:
        return assertNever(absence);
    }
  }

  badRequest(exchange: Exchange, detail: string): void {
    this.send(exchange.response, resourceOf(exchange.path), problem(400, 'bad-request', 'Bad request', { detail }));
  }
}

/** A refusal that a cache may keep for a moment (rfc8216bis Appendix B), so that a storm of them does not come through. */
function writeKept(response: ServerResponse, value: Problem, keepS: number): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(value.status, {
    ...corsFields,
    'content-type': 'application/problem+json',
    'content-length': body.length,
    'cache-control': `max-age=${keepS}`,
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/**
 * Asks a source for what an exchange wants. An absence is answered here; the wait ends too when the client goes.
 */
export function askFor<T>(
  exchange: AdmittedExchange,
  given: { readonly refusals: Refusals; readonly restart: Restart },
  way: {
    readonly ask: (answer: Answer<T>) => Leave;
    readonly found: (value: T, later: Later) => void;
    /** The wait is over, one way or another; may be called twice. */
    readonly settled?: () => void;
  },
): void {
  const { response } = exchange;
  const leave = way.ask((outcome, later) => {
    way.settled?.();
    if (response.destroyed) return;
    if (outcome.kind === 'found') return way.found(outcome.value, later);
    if (outcome.kind === 'ask-again') return given.restart(exchange);
    given.refusals.absent(exchange, outcome);
  });
  if (leave === answered) return;
  response.once('close', () => {
    leave();
    way.settled?.();
  });
}

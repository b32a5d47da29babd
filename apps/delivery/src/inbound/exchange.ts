import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Problem, problem, writeProblem } from '@millrace/http';
import type { StreamId } from '@millrace/ids';
import type { PlaybackPath } from '../core/playback-path.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { type Audience, corsHeaders } from './response-headers.ts';

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
  readonly audience: Audience;
}

/** What a metric calls a resource. */
export type Resource = 'multivariant' | 'playlist' | 'init' | 'segment' | 'part' | 'unknown' | 'preflight';

/** The resource that a path names. */
export function resourceOf(path: PlaybackPath | undefined): Resource {
  if (path === undefined) return 'unknown';
  const { target } = path;
  if (target.kind === 'media') return target.file.kind;
  return target.kind === 'multivariant' ? 'multivariant' : 'playlist';
}

const corsFields = Object.fromEntries(
  corsHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), corsHeaders[i + 1] ?? '']] : [])),
);

/** Refusals of playback requests, as problem documents that other sites' pages may read. */
export class Refusals {
  readonly #metrics: DeliveryMetrics;

  constructor(metrics: DeliveryMetrics) {
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
  unavailable(exchange: Exchange, kind: 'timed-out' | 'too-busy' | 'starting' | 'draining', detail: string): void {
    const titles = {
      'timed-out': 'No new part came in time',
      'too-busy': 'Too many requests are held',
      starting: 'The service is starting',
      draining: 'The service is stopping',
    } as const;
    const value = problem(503, kind, titles[kind], { detail });
    const headers = { 'retry-after': '1', ...(kind === 'draining' ? { connection: 'close' } : {}) };
    this.send(exchange.response, resourceOf(exchange.path), value, { headers });
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

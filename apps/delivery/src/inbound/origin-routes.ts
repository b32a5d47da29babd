/**
 * What an origin gives to its edges: the routes of players behind the service token, without sessions, and the facts from which
 * an edge renders multivariant playlists of its own (core/origin-wire.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@millrace/clock';
import { type HttpMount, markRoute, problem } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import type { LiveStreams } from '../core/live-streams.ts';
import {
  encodeFacts,
  type OriginTarget,
  originPath,
  parseOriginPath,
  targetDurationHeader,
} from '../core/origin-wire.ts';
import type { PlaybackSource } from '../core/playback-source.ts';
import { multivariantFacts } from '../core/playlist-views.ts';
import type { EdgeFacingMetrics } from '../metrics.ts';
import { type AdmittedExchange, Refusals } from './exchange.ts';
import { MediaRoutes } from './media-routes.ts';
import { PlaylistRoutes } from './playlist-routes.ts';

export interface OriginRoutesDeps {
  readonly source: PlaybackSource;
  readonly streams: Pick<LiveStreams, 'window'>;
  readonly metrics: EdgeFacingMetrics;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly mostStoreReads: number;
}

export class OriginRoutes implements HttpMount {
  readonly prefix = originPath;
  readonly holdsAnswers = true;
  readonly #deps: OriginRoutesDeps;
  readonly #refusals: Refusals;
  readonly #playlists: PlaylistRoutes;
  readonly #media: MediaRoutes;

  constructor(deps: OriginRoutesDeps) {
    const { source, metrics, clock, idSource, mostStoreReads } = deps;
    this.#deps = deps;
    this.#refusals = new Refusals(metrics);
    const restart = (exchange: AdmittedExchange) => this.handle(exchange.request, exchange.response);
    const shared = { source, restart, refusals: this.#refusals, metrics, clock };
    this.#playlists = new PlaylistRoutes({
      ...shared,
      idSource,
      headersOf: ({ targetDurationS }) => [targetDurationHeader, String(targetDurationS)],
    });
    this.#media = new MediaRoutes({ ...shared, mostStoreReads });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const target = request.method === 'GET' ? parseOriginPath(path) : undefined;
    markRoute(response, `${originPath}/{stream_id}/{${target?.kind ?? 'unknown'}}`);
    if (target === undefined) {
      const detail = 'expected GET of a stream, a media playlist or a media file';
      return this.#refusals.send(response, 'unknown', problem(404, 'not-found', 'Not found', { detail }));
    }
    const exchange: AdmittedExchange = {
      request,
      response,
      search,
      path: { playbackId: target.streamId, token: undefined, target: asPlaybackTarget(target) },
      streamId: target.streamId,
      ownerId: '', // who watches is the edge's business
      // The edge says what others may keep; between the two nobody may.
      audience: 'private',
    };
    switch (target.kind) {
      case 'facts':
        return this.#facts(exchange);
      case 'playlist':
        return this.#playlists.media(exchange, target.rendition);
      case 'media':
        return this.#media.media(exchange, target.rendition, target.file);
      default:
        return assertNever(target);
    }
  }

  #facts(exchange: AdmittedExchange): void {
    const window = this.#deps.streams.window(exchange.streamId);
    if (window === undefined) return this.#refusals.notLive(exchange, 'not-live');
    const { epoch, ended, settings } = window;
    const multivariant = multivariantFacts(window);
    const body = encodeFacts({ epoch, ended, targetDurationS: settings.targetDurationS, multivariant });
    this.#deps.metrics.responses.inc({ resource: 'multivariant', status: '200' });
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
  }
}

function asPlaybackTarget(target: OriginTarget): AdmittedExchange['path']['target'] {
  switch (target.kind) {
    case 'facts':
      return { kind: 'multivariant' };
    case 'playlist':
      return { kind: 'media-playlist', session: '', rendition: target.rendition };
    case 'media':
      return { kind: 'media', rendition: target.rendition, file: target.file };
    default:
      return assertNever(target);
  }
}

/**
 * Everything under `/live`: plain node:http, no framework on media paths. Who may play what is decided here, before
 * anything is looked up in a window; the tables that decide are in memory, so the answer is almost always synchronous.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenRefusal, TokenVerifier } from '@millrace/auth';
import { type HttpMount, markRoute, problem } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { assertNever } from '@millrace/result';
import { parsePlaybackPath } from '../core/playback-path.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { BeaconIntake } from './beacon-intake.ts';
import type { BeaconRoutes } from './beacon-routes.ts';
import { type AdmittedExchange, type Exchange, type Refusals, resourceOf } from './exchange.ts';
import type { MediaRoutes } from './media-routes.ts';
import { admitByToken } from './playback-admission.ts';
import type { PlaylistRoutes } from './playlist-routes.ts';
import { preflightHeaders } from './response-headers.ts';
import type { StreamDirectory } from './stream-directory.ts';

export interface PlaybackRoutesDeps {
  readonly directory: StreamDirectory;
  readonly tokens: Pick<TokenVerifier, 'verifyPlaybackToken'>;
  readonly playlists: PlaylistRoutes;
  readonly media: MediaRoutes;
  readonly beacons: Pick<BeaconIntake, 'request'>;
  readonly events: Pick<BeaconRoutes, 'post'>;
  readonly refusals: Refusals;
  readonly metrics: DeliveryMetrics;
  readonly log: Logger;
}

export class PlaybackRoutes implements HttpMount {
  readonly prefix = '/live';
  readonly holdsAnswers = true;
  readonly #deps: PlaybackRoutesDeps;

  constructor(deps: PlaybackRoutesDeps) {
    this.#deps = deps;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { refusals } = this.#deps;
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    const path = parsePlaybackPath(queryAt < 0 ? url : url.slice(0, queryAt));
    const resource = resourceOf(path);
    markRoute(response, `/live/{playback_id}/{${resource}}`);
    const methods = path?.target.kind === 'beacons' ? ['POST'] : ['GET', 'HEAD'];
    const allow = [...methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') {
      this.#deps.metrics.responses.inc({ resource: 'preflight', status: '204' });
      response.writeHead(204, [...preflightHeaders(allow)]).end();
      return;
    }
    if (!methods.includes(request.method ?? '')) {
      const detail = `expected ${allow}, got ${request.method}`;
      const value = problem(405, 'method-not-allowed', 'Method not allowed', { detail });
      return refusals.send(response, resource, value, { headers: { allow } });
    }
    if (path === undefined) {
      const detail = 'expected a playlist, init section, segment or part below /live/{playback_id}';
      return refusals.send(response, resource, problem(404, 'not-found', 'Not found', { detail }), { keepS: 1 });
    }
    this.admit({ request, response, path, search: queryAt < 0 ? '' : url.slice(queryAt + 1) });
  }

  /** Checks that the stream exists and may be played with what the path carries, then answers. */
  admit(exchange: Exchange): void {
    const { directory, tokens, refusals, log } = this.#deps;
    const { playbackId, token } = exchange.path;
    const stream = directory.find(playbackId);
    if (stream === undefined) {
      if (directory.isReady) return refusals.notFound(exchange, `no stream has the playback id ${playbackId}`);
      return refusals.unavailable(exchange, 'starting', 'the streams are still being read');
    }
    const admitted: AdmittedExchange = {
      ...exchange,
      streamId: stream.streamId,
      ownerId: stream.ownerId,
      audience: stream.visibility,
    };
    if (stream.visibility === 'public') return this.#answer(admitted);
    admitByToken(
      tokens,
      { playbackId, token, what: 'stream' },
      {
        admitted: () => this.#answer(admitted),
        refused: (error) => this.#forbid(exchange, error),
        crashed: (error) => {
          log.error('playback-request-crashed', { error });
          exchange.response.destroy();
        },
      },
    );
  }

  #answer(admitted: AdmittedExchange): void {
    const { target } = admitted.path;
    if (target.kind !== 'beacons') this.#deps.beacons.request(admitted);
    switch (target.kind) {
      case 'beacons':
        return this.#deps.events.post(admitted);
      case 'multivariant':
        return this.#deps.playlists.multivariant(admitted);
      case 'media-playlist':
        return this.#deps.playlists.media(admitted, target.rendition);
      case 'media':
        return this.#deps.media.media(admitted, target.rendition, target.file);
      default:
        return assertNever(target);
    }
  }

  #forbid(exchange: Exchange, error: TokenRefusal): void {
    const { refusals } = this.#deps;
    if (error.kind === 'not-ready') return refusals.unavailable(exchange, 'starting', error.message);
    const value = problem(403, 'playback-refused', 'Playback refused', { detail: error.message });
    refusals.send(exchange.response, resourceOf(exchange.path), value);
  }
}

import type { Clock } from '@millrace/clock';
import { parseReloadQuery, renderMultivariantPlaylist } from '@millrace/hls';
import { acceptsGzip } from '@millrace/http';
import { type IdSource, newId } from '@millrace/ids';
import type { MultivariantFacts, PlaybackSource, PlaylistBody } from '../core/playback-source.ts';
import { withSession } from '../core/playlist-views.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { type AdmittedExchange, askFor, type Refusals, type Restart } from './exchange.ts';
import { type Audience, corsHeaders, playlistCaching, playlistType } from './response-headers.ts';
import { type HeaderList, SharedResponse } from './shared-response.ts';
import type { ViewerDoor } from './viewer-door.ts';

export interface PlaylistRoutesDeps {
  readonly source: Pick<PlaybackSource, 'multivariant' | 'playlist'>;
  readonly restart: Restart;
  /** Headers of a media playlist besides type, caching and encoding; default: those of CORS. */
  readonly headersOf?: (body: PlaylistBody) => HeaderList;
  /** Who watches; absent where nobody is counted. */
  readonly viewers?: Pick<ViewerDoor, 'mint' | 'visit'>;
  readonly refusals: Refusals;
  readonly metrics: Pick<DeliveryMetrics, 'sessions' | 'responses'>;
  readonly clock: Clock;
  readonly idSource: IdSource;
}

interface PlaylistVariant {
  readonly gzip: boolean;
  /** Asked for by number. */
  readonly blocking: boolean;
  readonly audience: Audience;
}

/** Multivariant and media playlists. */
export class PlaylistRoutes {
  readonly #deps: PlaylistRoutesDeps;
  readonly #shared = new WeakMap<PlaylistBody, Map<string, SharedResponse>>();

  constructor(deps: PlaylistRoutesDeps) {
    this.#deps = deps;
  }

  /** Mints a viewer session and lists the renditions under it; never cached, so that each viewer gets his own. */
  multivariant(exchange: AdmittedExchange): void {
    const { source } = this.#deps;
    askFor<MultivariantFacts>(exchange, this.#deps, {
      ask: (answer) => source.multivariant(exchange.streamId, answer),
      found: (facts) => this.#mint(exchange, facts),
    });
  }

  /** A media playlist, at once or when it lists what was asked for. */
  media(exchange: AdmittedExchange, rendition: string): void {
    const { source, refusals, metrics, clock } = this.#deps;
    const { request, response, streamId, audience } = exchange;
    const query = parseReloadQuery(exchange.search);
    if (!query.ok) return refusals.badRequest(exchange, query.error.message);
    const gzip = acceptsGzip(request.headers['accept-encoding']);
    const variant = { blocking: query.value.msn !== undefined, gzip, audience };
    const visit = this.#deps.viewers?.visit(exchange, query.value.part !== undefined);
    askFor<PlaylistBody>(exchange, this.#deps, {
      ask: (answer) => source.playlist({ streamId, rendition, query: query.value }, answer),
      found: (body, later) => {
        this.#response(body, variant).send(request, response, clock.nowMs(), later);
        later(() => {
          metrics.responses.inc({ resource: 'playlist', status: '200' });
          visit?.answered(body.targetDurationS);
        });
      },
      settled: () => visit?.settled(),
    });
  }

  #mint(exchange: AdmittedExchange, facts: MultivariantFacts): void {
    const { metrics, idSource, clock, viewers } = this.#deps;
    const text = renderMultivariantPlaylist(withSession(facts, viewers?.mint(exchange) ?? newId('ses', idSource)));
    const headers = ['Content-Type', playlistType, 'Cache-Control', 'no-store', ...corsHeaders];
    metrics.sessions.inc();
    metrics.responses.inc({ resource: 'multivariant', status: '200' });
    new SharedResponse(200, headers, [Buffer.from(text)]).send(exchange.request, exchange.response, clock.nowMs());
  }

  /** The answer with `body`: made once for all who ask alike. */
  #response(body: PlaylistBody, variant: PlaylistVariant): SharedResponse {
    const made = this.#shared.get(body) ?? new Map<string, SharedResponse>();
    this.#shared.set(body, made);
    const key = `${variant.gzip}${variant.blocking}${variant.audience}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const headers = [
      'Content-Type',
      playlistType,
      'Cache-Control',
      playlistCaching(variant.audience, variant.blocking, body.targetDurationS),
      'Vary',
      'Accept-Encoding',
      ...(this.#deps.headersOf?.(body) ?? corsHeaders),
      ...(variant.gzip ? ['Content-Encoding', 'gzip'] : []),
    ];
    const bytes = variant.gzip ? body.gzip() : body.plain();
    const response = new SharedResponse(200, headers, [bytes], body.storedAtMs);
    made.set(key, response);
    return response;
  }
}

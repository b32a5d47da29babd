import type { Clock } from '@millrace/clock';
import { decideReload, parseReloadQuery, type ReloadDecision, renderMultivariantPlaylist } from '@millrace/hls';
import { acceptsGzip } from '@millrace/http';
import { type IdSource, newId } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import type { LiveStreams } from '../core/live-streams.ts';
import type { LiveWindow } from '../core/live-window.ts';
import { multivariantPlaylistView } from '../core/playlist-views.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import type { Later } from '../core/waiting-room.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { AdmittedExchange, Refusals } from './exchange.ts';
import type { HeldRequests } from './held-requests.ts';
import type { PlaylistBytes, PlaylistVariant } from './playlist-bytes.ts';
import { corsHeaders, playlistType } from './response-headers.ts';
import { SharedResponse } from './shared-response.ts';

export interface PlaylistRoutesDeps {
  readonly streams: LiveStreams;
  readonly held: HeldRequests;
  readonly playlists: PlaylistBytes;
  readonly refusals: Refusals;
  readonly metrics: DeliveryMetrics;
  readonly clock: Clock;
  readonly idSource: IdSource;
}

/** Multivariant and media playlists. */
export class PlaylistRoutes {
  readonly #deps: PlaylistRoutesDeps;

  constructor(deps: PlaylistRoutesDeps) {
    this.#deps = deps;
  }

  /** Mints a viewer session and lists the renditions under it; never cached, so that each viewer gets his own. */
  multivariant(exchange: AdmittedExchange): void {
    const { streams, refusals, metrics, idSource, clock } = this.#deps;
    const window = streams.window(exchange.streamId);
    if (window === undefined || window.ended) {
      return refusals.notLive(exchange, window === undefined ? 'not-live' : 'ended');
    }
    const text = renderMultivariantPlaylist(multivariantPlaylistView(window, newId('ses', idSource)));
    const headers = ['Content-Type', playlistType, 'Cache-Control', 'no-store', ...corsHeaders];
    metrics.sessions.inc();
    metrics.responses.inc({ resource: 'multivariant', status: '200' });
    new SharedResponse(200, headers, [Buffer.from(text)]).send(exchange.request, exchange.response, clock.nowMs());
  }

  /** A media playlist, at once or when it lists what was asked for. */
  media(exchange: AdmittedExchange, rendition: string): void {
    const { streams, held, refusals } = this.#deps;
    const window = streams.window(exchange.streamId);
    if (window === undefined) return refusals.notLive(exchange, 'not-live');
    const track = window.track(rendition);
    if (track === undefined) return refusals.notFound(exchange, `the stream has no rendition "${rendition}"`);
    const query = parseReloadQuery(exchange.search);
    if (!query.ok) return refusals.badRequest(exchange, query.error.message);
    const decision = startOf(track) ?? decideReload(track.position(), query.value);
    const gzip = acceptsGzip(exchange.request.headers['accept-encoding']);
    const variant = { skip: query.value.skip, blocking: query.value.msn !== undefined, gzip };
    switch (decision.kind) {
      case 'now':
        return this.#send(exchange, window, track, variant);
      case 'bad-request':
        return refusals.badRequest(exchange, decision.message);
      case 'wait': {
        const { until } = decision;
        const answer = (later: Later) => this.#send(exchange, window, track, variant, later);
        return held.hold(exchange, { window, track, kind: 'playlist', isReady: () => track.hasReached(until), answer });
      }
      default:
        return assertNever(decision);
    }
  }

  #send(
    exchange: AdmittedExchange,
    window: LiveWindow,
    track: RenditionTrack,
    variant: Omit<PlaylistVariant, 'audience'>,
    later: Later = (work) => work(),
  ): void {
    const { request, response, audience } = exchange;
    const { playlists, metrics, clock } = this.#deps;
    playlists.response(window, track, { ...variant, audience }).send(request, response, clock.nowMs(), later);
    later(() => metrics.responses.inc({ resource: 'playlist', status: '200' }));
  }
}

/**
 * A playlist without a single complete segment is of no use to most players (they take it for broken): until there is one,
 * every request waits for it.
 */
function startOf(track: RenditionTrack): ReloadDecision | undefined {
  const { nextSegment, ended } = track.position();
  if (ended || nextSegment > track.firstListed) return undefined;
  return { kind: 'wait', until: { msn: nextSegment, part: undefined } };
}

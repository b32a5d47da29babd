/**
 * Where requests become signs of life. On the path of a playlist it costs a look into a map before the answer, and a few
 * numbers after it; everything else is done once for each session.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@millrace/clock';
import type { ClientAddress } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import type { SessionFinder } from '../core/session-finder.ts';
import { mintSessionId, type ViewerSessionId } from '../core/session-id.ts';
import type { SessionOwners } from '../core/session-owners.ts';
import type { ViewerIdentity } from '../core/viewer-identity.ts';
import type { Newcomer, ViewerSession } from '../core/viewer-session.ts';
import type { FirstSign, ViewerSessions } from '../core/viewer-sessions.ts';
import type { WatchExchange } from './exchange.ts';

export interface ViewerDoorDeps {
  readonly sessions: ViewerSessions;
  readonly finder: SessionFinder;
  readonly owners: SessionOwners;
  readonly identity: ViewerIdentity;
  readonly addressOf: ClientAddress;
  readonly clock: Clock;
  readonly idSource: IdSource;
  /** Whether the broadcast is known to be over: its last reloads make nobody a viewer. */
  readonly isOver: (streamId: string) => boolean;
  /** Shortest silence that ends a session, ms. */
  readonly silenceMs: number;
}

/** A reload of a media playlist, from its arrival to its answer. */
export interface Visit {
  /** It was sent: to a viewer, or to one who is one from now on. */
  answered(targetDurationS: number): void;
  /** It is not waited for any more; may be said twice. */
  settled(): void;
}

/** Reload intervals without a reload that end a session. */
const missedReloads = 2.5;
const answerMs = 1_000;
/** Players report every 10 to 30 s. */
export const beaconSilenceMs = 75_000;

export class ViewerDoor {
  readonly #deps: ViewerDoorDeps;

  constructor(deps: ViewerDoorDeps) {
    this.#deps = deps;
  }

  /** The id of a new session, for a multivariant playlist. */
  mint(exchange: WatchExchange): ViewerSessionId {
    const { finder, owners, idSource, clock } = this.#deps;
    const id = mintSessionId(idSource, owners.home);
    const hash = this.newcomer(exchange)?.profile.viewerHash;
    const isViewer = exchange.request.method === 'GET' && hash !== undefined;
    if (isViewer) finder.minted(exchange.streamId, hash, id, clock.monotonicMs());
    return id;
  }

  /** A media playlist is asked for; a viewer who is known is not silent until it is answered. `byPart`: he waits for parts. */
  visit(exchange: WatchExchange, byPart: boolean): Visit | undefined {
    const { target } = exchange.path;
    if (exchange.request.method !== 'GET' || target.kind !== 'media-playlist') return undefined;
    const { session: sessionId } = target;
    const known = this.#deps.sessions.find(sessionId, exchange.streamId);
    if (known !== undefined) known.held++;
    let waits = known !== undefined;
    return {
      answered: (targetDurationS) =>
        this.#reloaded(exchange, sessionId, known, this.#allowance(targetDurationS, byPart)),
      settled: () => {
        if (!waits || known === undefined) return;
        waits = false;
        known.held--;
        // What the answer is worth is known when it is out, which may take a moment where thousands are answered.
        known.aliveUntilMs = Math.max(known.aliveUntilMs, this.#deps.clock.monotonicMs() + answerMs);
      },
    };
  }

  /** A media playlist of a video is asked for. It is not reloaded: what comes of the viewer from now on are files and reports. */
  arrived(exchange: WatchExchange, sessionId: string): void {
    if (exchange.request.method !== 'GET') return;
    const session = this.begin(exchange, sessionId, beaconSilenceMs);
    if (session !== undefined) this.#keep(session);
  }

  /**
   * A file of a video is asked for, whose path names no session: a sign of life of all that have this address and player. Who
   * got a presentation, which has no sessions in it, is a viewer from his first file on.
   */
  fetched(exchange: WatchExchange): void {
    if (exchange.request.method !== 'GET') return;
    const { finder, clock } = this.#deps;
    const { streamId } = exchange;
    const hash = this.newcomer(exchange)?.profile.viewerHash;
    if (hash === undefined) return;
    const sessions = finder.allOf(streamId, hash);
    for (const session of sessions) this.#keep(session);
    if (sessions.length > 0) return;
    const minted = finder.mintOf(streamId, hash, clock.monotonicMs());
    if (minted !== undefined) this.begin(exchange, minted, beaconSilenceMs);
  }

  /** Begins a session by its id, or finds it when it has begun meanwhile. */
  begin(exchange: WatchExchange, sessionId: string, allowanceMs: number): ViewerSession | undefined {
    const { sessions, finder, clock } = this.#deps;
    const { streamId, request } = exchange;
    const found = sessions.find(sessionId, streamId);
    if (found !== undefined) return found;
    const newcomer = this.newcomer(exchange);
    if (newcomer === undefined) return undefined; // the connection is gone
    const sign = { streamId, allowanceMs, nowMs: clock.monotonicMs(), wallMs: clock.nowMs(), newcomer: () => newcomer };
    const session = this.#join(sessionId, sign);
    if (session === undefined || session.mintedAtMs === undefined) return session;
    const homeless = finder.homelessOf(streamId, newcomer.profile.viewerHash);
    if (homeless !== undefined && request.method === 'GET') {
      // His player's reports came first, and were taken for a viewer of their own.
      sessions.dissolve(homeless.session);
      finder.bind(session, homeless.player);
    }
    return session;
  }

  /** What is known of who asks; undefined when the connection is gone. */
  newcomer(exchange: WatchExchange): Newcomer | undefined {
    const { addressOf, identity } = this.#deps;
    const { request, path, ownerId } = exchange;
    const address = addressOf(request);
    if (address === undefined) return undefined;
    return { playbackId: path.playbackId, ownerId, ...identity.identify(address, userAgentOf(request)) };
  }

  #keep(session: ViewerSession): void {
    if (session.state.kind === 'gone') return;
    this.#deps.sessions.heard(session, this.#deps.clock.monotonicMs(), beaconSilenceMs);
  }

  #reloaded(exchange: WatchExchange, sessionId: string, known: ViewerSession | undefined, allowanceMs: number): void {
    if (known !== undefined) {
      known.reloads = true;
      return this.#deps.sessions.heard(known, this.#deps.clock.monotonicMs(), allowanceMs);
    }
    if (this.#deps.isOver(exchange.streamId)) return;
    const session = this.begin(exchange, sessionId, allowanceMs);
    if (session !== undefined) session.reloads = true;
  }

  #join(sessionId: string, sign: Omit<FirstSign, 'identity'>): ViewerSession | undefined {
    const session = this.#deps.sessions.beginById(sessionId, sign);
    if (session !== undefined) this.#deps.finder.add(session);
    return session;
  }

  /** A balancer may send every other reload of a player elsewhere, so one that comes seldom is given twice the time. */
  #allowance(targetDurationS: number, byPart: boolean): number {
    const { silenceMs, owners } = this.#deps;
    if (byPart) return silenceMs;
    const allowanceMs = Math.max(silenceMs, missedReloads * targetDurationS * 1_000);
    return owners.hasPeers ? 2 * allowanceMs : allowanceMs;
  }
}

function userAgentOf(request: IncomingMessage): string | undefined {
  return request.headers['user-agent'];
}

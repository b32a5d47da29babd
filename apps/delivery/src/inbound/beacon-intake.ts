/**
 * Reports of players: each is given to a session, bounded in rate, and becomes a sample. A report is never worth an error
 * to the request that carries it; what is not taken is counted by reason.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@millrace/clock';
import {
  type CmcdDropReason,
  type CmcdReport,
  hasCmcdHeaders,
  hasCmcdQuery,
  mostReportsPerBody,
  readCmcdEvents,
  readCmcdHeaders,
  readCmcdQuery,
} from '@millrace/cmcd';
import type { FactWriter } from '@millrace/eventlog';
import { type Beacon, beaconsTopic } from '@millrace/events';
import { RateBuckets } from '../core/rate-buckets.ts';
import type { SessionFinder } from '../core/session-finder.ts';
import { homelessSessionId } from '../core/session-id.ts';
import type { Newcomer, ViewerSession } from '../core/viewer-session.ts';
import type { ViewerSessions } from '../core/viewer-sessions.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { WatchExchange } from './exchange.ts';
import { beaconSilenceMs, type ViewerDoor } from './viewer-door.ts';

export type BeaconDropReason = CmcdDropReason | 'no-session' | 'session-rate' | 'address-rate' | 'overload' | 'no-room';

/** What becomes of a post of events: `taken` unless nothing of it was, and then why. */
export type EventOutcome = 'taken' | 'address-rate' | 'session-rate' | 'overload' | 'no-room';

export interface BeaconIntakeDeps {
  readonly door: Pick<ViewerDoor, 'begin' | 'newcomer'>;
  readonly sessions: ViewerSessions;
  readonly finder: SessionFinder;
  readonly facts: FactWriter;
  readonly clock: Clock;
  readonly metrics: DeliveryMetrics;
  readonly silenceMs: number;
  /**
   * Reports per second that are taken: in all, of an address, of a session. Reports in requests use what events leave: a
   * low-latency player sends some twenty requests a second, and events, which tell its states, would be lost among them.
   */
  readonly rates: { readonly all: number; readonly address: number; readonly session: number };
}

/** A player's clock that is further off is not believed. */
const mostSkewMs = 60_000;
/** Seconds' worth of reports that may come at once. */
const burstSeconds = 5;
const mostBuckets = 20_000;
/** Places in the buffer of samples that reports leave to what others say: that an instance lives, how many watch. */
const placesForOthers = 1_000;

export class BeaconIntake {
  readonly #deps: BeaconIntakeDeps;
  readonly #all: RateBuckets;
  readonly #addresses: RateBuckets;
  readonly #sessions: RateBuckets;
  readonly #onDrop = (reason: BeaconDropReason) => this.#deps.metrics.beaconDrops.inc({ reason });

  constructor(deps: BeaconIntakeDeps) {
    this.#deps = deps;
    const { all, address, session } = deps.rates;
    this.#all = new RateBuckets(all, all, 1);
    this.#addresses = new RateBuckets(address, address * burstSeconds, mostBuckets);
    this.#sessions = new RateBuckets(session, session * burstSeconds, mostBuckets);
  }

  /** Takes what a playback request carries, if it carries anything. */
  request(exchange: WatchExchange): void {
    const { headers } = exchange.request;
    const mode = hasCmcdQuery(exchange.search) ? 'query' : hasCmcdHeaders(headers) ? 'headers' : undefined;
    const { target } = exchange.path;
    if (mode === undefined || target.kind === 'multivariant' || exchange.request.method !== 'GET') return;
    const { clock, door } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (!this.#hasRoom) return this.#onDrop('no-room');
    if (this.#all.takeSpare('', 1, nowMs) === 0) return this.#onDrop('overload');
    const newcomer = door.newcomer(exchange);
    if (newcomer === undefined) return;
    if (this.#addresses.takeSpare(newcomer.addressKey, 1, nowMs) === 0) return this.#onDrop('address-rate');
    const report =
      mode === 'query' ? readCmcdQuery(exchange.search, this.#onDrop) : readCmcdHeaders(headers, this.#onDrop);
    if (report === undefined) return;
    const session = this.#sessionOf(exchange, newcomer, report, 'request');
    if (session === undefined) return this.#onDrop('no-session');
    this.#take(session, report, mode, nowMs);
  }

  /** Takes the reports of an event body. Of a post that is refused nothing was taken; of another, what was not is counted. */
  events(exchange: WatchExchange, body: string): EventOutcome {
    const { clock, door } = this.#deps;
    const nowMs = clock.monotonicMs();
    const newcomer = door.newcomer(exchange);
    if (newcomer === undefined) return 'taken'; // the connection is gone: there is nobody to tell
    if (!this.#hasRoom) return this.#refused('no-room');
    if (this.#addresses.take(newcomer.addressKey, 1, nowMs) === 0) return this.#refused('address-rate');
    const reports = readCmcdEvents(body, this.#onDrop);
    if (reports.length > 1) this.#addresses.take(newcomer.addressKey, reports.length - 1, nowMs);
    let taken = 0;
    let refusal: 'session-rate' | 'overload' | undefined;
    for (const report of reports) {
      const session = this.#sessionOf(exchange, newcomer, report, 'event');
      if (session === undefined) this.#onDrop('no-session');
      else if (this.#all.take('', 1, nowMs) === 0) refusal = this.#refused('overload');
      else if (this.#take(session, report, 'event', nowMs)) taken++;
      else refusal ??= 'session-rate';
    }
    return taken === 0 && refusal !== undefined ? refusal : 'taken';
  }

  /** Whether a whole body of reports has a place on its way to the log; then none is dropped there, and nobody pushed out. */
  get #hasRoom(): boolean {
    return this.#deps.facts.sampleRoom >= placesForOthers + mostReportsPerBody;
  }

  #refused<R extends BeaconDropReason>(reason: R): R {
    this.#onDrop(reason);
    return reason;
  }

  #take(session: ViewerSession, report: CmcdReport, mode: Beacon['mode'], nowMs: number): boolean {
    const { facts, metrics } = this.#deps;
    this.#keepAlive(session, report, nowMs);
    const rate = this.#sessions;
    const taken = mode === 'event' ? rate.take(session.id, 1, nowMs) : rate.takeSpare(session.id, 1, nowMs);
    if (taken === 0) {
      this.#onDrop('session-rate');
      return false;
    }
    metrics.beacons.inc({ mode });
    facts.sample(beaconsTopic, {
      ...report.fields,
      ...{ type: 'BeaconReceived', session_id: session.id, stream_id: session.streamId, owner_id: session.ownerId },
      ...{ instance_id: facts.instanceId, at_ms: this.#timeOf(report), version: report.version, mode },
    });
    return true;
  }

  /** A player that says it is over ends its session; every other report is a sign of life. */
  #keepAlive(session: ViewerSession, { fields }: CmcdReport, nowMs: number): void {
    const { sessions, silenceMs } = this.#deps;
    if (session.state.kind === 'gone') return;
    if (fields.state === 'q') return sessions.quit(session, 'quit', nowMs);
    if (fields.state === 'e') return sessions.quit(session, 'stream-ended', nowMs);
    // A player that is paused may stop its reloads; one that plays is known by them.
    const byReports = !session.reloads || fields.state === 'a';
    sessions.heard(session, nowMs, Math.max(session.aliveUntilMs - nowMs, byReports ? beaconSilenceMs : silenceMs));
  }

  #sessionOf(
    exchange: WatchExchange,
    newcomer: Newcomer,
    report: CmcdReport,
    mode: 'request' | 'event',
  ): ViewerSession | undefined {
    const { door, sessions, finder, clock } = this.#deps;
    const { streamId } = exchange;
    const { target } = exchange.path;
    const sid = report.fields.player_session;
    const named = target.kind === 'media' || target.kind === 'multivariant' ? undefined : target.session;
    const bound = (session: ViewerSession | undefined) => {
      if (session !== undefined && sid !== undefined) finder.bind(session, sid);
      return session;
    };
    if (named !== undefined) {
      if (mode === 'request') return bound(sessions.find(named, streamId));
      return bound(door.begin(exchange, named, beaconSilenceMs));
    }
    const known = sid === undefined ? undefined : finder.ofPlayer(streamId, sid);
    if (known !== undefined) return known;
    const { viewerHash } = newcomer.profile;
    const unbound = finder.unboundOf(streamId, viewerHash);
    if (unbound !== undefined) return bound(unbound);
    if (mode === 'request') return undefined;
    const minted = finder.mintOf(streamId, viewerHash, clock.monotonicMs());
    if (minted !== undefined) return bound(door.begin(exchange, minted, beaconSilenceMs));
    if (sid === undefined) return undefined;
    const own = homelessSessionId(createHash('sha256').update(`${streamId} ${sid}`).digest());
    return bound(door.begin(exchange, own, beaconSilenceMs));
  }

  #timeOf({ atMs }: CmcdReport): number {
    const nowMs = this.#deps.clock.nowMs();
    return atMs !== undefined && Math.abs(nowMs - atMs) <= mostSkewMs ? atMs : nowMs;
  }
}

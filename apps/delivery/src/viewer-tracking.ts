/** Composition of the viewers' side: sessions, their ownership among several deliveries, the audience, players' reports. */
import { createClientAddress } from '@millrace/http';
import { Background, Scope } from '@millrace/lifecycle';
import { AudienceCounts } from './core/audience-counts.ts';
import { PeerInstances } from './core/peer-instances.ts';
import { RecentOwners } from './core/recent-owners.ts';
import { SessionFinder } from './core/session-finder.ts';
import { SessionLimits } from './core/session-limits.ts';
import { SessionOwners } from './core/session-owners.ts';
import { ViewerSessions } from './core/viewer-sessions.ts';
import { BeaconIntake } from './inbound/beacon-intake.ts';
import { followSessionWords } from './inbound/session-words.ts';
import { ViewerDoor } from './inbound/viewer-door.ts';
import { type DeliveryMetrics, registerViewerGauges } from './metrics.ts';
import { noCountries, openCountryDatabase } from './outbound/country-database.ts';
import { derivedDaySalt, openStoredDaySalt } from './outbound/day-salt.ts';
import { createKeyedIdentity } from './outbound/keyed-identity.ts';
import { ViewerFacts } from './outbound/viewer-facts.ts';
import { openViewerJournal } from './outbound/viewer-journal.ts';
import type { DeliveryDeps } from './service.ts';

export interface ViewerTracking extends AsyncDisposable {
  readonly door: ViewerDoor;
  readonly beacons: BeaconIntake;
}

const tickMs = 250;
const sweepMs = 1_000;
const mostRecentOwners = 50_000;
/** Broadcasts that are known to be over. */
const mostOver = 10_000;

/** Opens it. Closing says of every viewer that he left, and of every stream that nobody is here. */
export async function openViewerTracking(deps: DeliveryDeps, metrics: DeliveryMetrics): Promise<ViewerTracking> {
  const { settings, eventLog, facts, clock, idSource, log } = deps;
  const { instanceId } = facts;
  const scope = new Scope({
    stepDeadlineMs: 5_000,
    onError: (step, error) => log.warn('close-step-failed', { step, error }),
  });
  const secret = settings.DELIVERY_VIEWER_SECRET ?? deps.serviceToken;
  const salt = scope.use(
    secret === undefined ? await openStoredDaySalt({ store: deps.mediaStore, idSource, log }) : derivedDaySalt(secret),
    'viewer salt',
  );
  const path = settings.DELIVERY_GEOIP_FILE;
  const countries =
    path === undefined ? noCountries : scope.use(await openCountryDatabase({ path, clock, log }), 'countries');
  const peers = new PeerInstances(instanceId);
  const owners = new SessionOwners({
    ...{ instanceId, peers, startedAtMs: clock.nowMs() },
    recent: new RecentOwners(mostRecentOwners, clock.monotonicMs()),
  });
  const audience = new AudienceCounts();
  const finder = new SessionFinder();
  const dir = deps.journalDir;
  const onFailure = () => metrics.sessionFactsLost.inc({ reason: 'journal' });
  const earlier = dir === undefined ? undefined : await openViewerJournal({ dir, log, onFailure });
  const journal = earlier === undefined ? undefined : scope.use(earlier.journal, 'viewer journal');
  const viewerFacts: ViewerFacts = scope.use(
    new ViewerFacts({
      ...{ facts, clock, log, metrics, journal },
      onJoinLost: (session) => sessions.ownJoinSeen(session.id, clock.monotonicMs()),
      onForgotten: (session) => finder.remove(session),
    }),
    'viewer facts',
  );
  const sessions: ViewerSessions = new ViewerSessions({
    ...{ owners, audience, observer: viewerFacts },
    limits: new SessionLimits({
      mostSessions: settings.DELIVERY_MAX_SESSIONS,
      mostPerStream: settings.DELIVERY_MAX_STREAM_SESSIONS,
      mostPerAddress: settings.DELIVERY_MAX_ADDRESS_SESSIONS,
      startsPerSecond: settings.DELIVERY_ADDRESS_SESSIONS_PER_S,
    }),
  });
  registerViewerGauges(deps.metrics, { sessions: () => sessions.counts(), viewers: () => audience.total });
  scope.defer('viewers', () => {
    sessions.drain();
    viewerFacts.audience(audience.drain());
  });

  if (earlier !== undefined && earlier.open.size > 0) {
    const ending = (signal: AbortSignal) => viewerFacts.endEarlier(earlier.open, signal);
    scope.use(new Background(ending, (error) => log.error('earlier-viewers-not-ended', { error })), 'earlier viewers');
  }

  const over = new Set<string>();
  const onStream = (streamId: string, state: 'ended' | 'on') => {
    over.delete(streamId);
    if (state === 'on') return;
    over.add(streamId);
    if (over.size > mostOver) for (const oldest of [...over].slice(0, 1)) over.delete(oldest);
    sessions.streamEnded(streamId, clock.monotonicMs());
  };
  scope.use(await followSessionWords({ eventLog, instanceId, peers, sessions, clock, onStream }), 'session words');
  const tick = clock.every(tickMs, () => {
    sessions.settle(clock.monotonicMs());
    viewerFacts.audience(audience.due(clock.monotonicMs()));
  });
  const sweep = clock.every(sweepMs, () => {
    sessions.sweep(clock.monotonicMs());
    journal?.alive(clock.nowMs());
  });
  scope.defer('viewer timers', () => {
    tick.cancel();
    sweep.cancel();
  });
  const silenceMs = settings.DELIVERY_VIEWER_SILENCE_MS;
  const door = new ViewerDoor({
    ...{ sessions, finder, owners, clock, idSource, silenceMs, addressOf: createClientAddress(settings) },
    identity: createKeyedIdentity({ salt, countries, idSource }),
    isOver: (streamId) => over.has(streamId),
  });
  const rates = {
    all: settings.DELIVERY_BEACONS_PER_S,
    address: settings.DELIVERY_ADDRESS_BEACONS_PER_S,
    session: settings.DELIVERY_SESSION_BEACONS_PER_S,
  };
  return {
    door,
    beacons: new BeaconIntake({ door, sessions, finder, facts, clock, metrics, silenceMs, rates }),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

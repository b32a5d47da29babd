/**
 * Composition of delivery: the live windows in the middle, writers and the log on one side, players on the other. It knows
 * nothing of where its adapters come from, so it runs alone and in standalone alike.
 */
import { createTokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog, FactWriter } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic, streamsTopic, videosTopic } from '@millrace/events';
import type { LiveWindowOrigin } from '@millrace/handover';
import { guardMount, type HttpMount, type Readiness, type Service, serviceTokenGuard } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { MetricsRegistry } from '@millrace/metrics';
import type { DeliverySettings } from './config.ts';
import { type EdgeSettings, openEdgePlayback } from './edge-playback.ts';
import { BeaconRoutes } from './inbound/beacon-routes.ts';
import { type AdmittedExchange, Refusals } from './inbound/exchange.ts';
import { MediaRoutes } from './inbound/media-routes.ts';
import { createNoWindows } from './inbound/no-windows.ts';
import { OriginRoutes } from './inbound/origin-routes.ts';
import { PlaybackRoutes } from './inbound/playback-routes.ts';
import { PlaylistRoutes } from './inbound/playlist-routes.ts';
import { StreamDirectory } from './inbound/stream-directory.ts';
import { createWindowWriter } from './inbound/window-writer.ts';
import { createDeliveryMetrics, createEdgeFacingMetrics, type DeliveryMetrics } from './metrics.ts';
import { openVideoPlayback } from './video-playback.ts';
import { openViewerTracking } from './viewer-tracking.ts';
import { openWindowPlayback, type WindowPlayback } from './window-playback.ts';

export interface DeliveryDeps {
  readonly settings: DeliverySettings;
  readonly eventLog: EventLog;
  /** Says that the instance is alive, and who watches; its id names the instance's folder in the media store. */
  readonly facts: FactWriter;
  readonly mediaStore: MediaStore;
  /** Folder on a disk that survives restarts: who was counted when the process died gets his end after the next start. */
  readonly journalDir?: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  /** What services show each other: an origin serves its edges behind it, an edge shows it to its origins. */
  readonly serviceToken?: string;
  /** Stands in front of origins instead of holding windows. */
  readonly edge?: EdgeSettings | undefined;
}

export interface DeliveryService extends Service {
  /** Where transcode writes: by reference in one process, behind `openWindowWriterServer` between processes. */
  readonly writer: LiveWindowOrigin;
}

/** Opens delivery. Closing it answers who waits, takes no more requests in, and lets the archive finish. */
export async function createDeliveryService(given: DeliveryDeps): Promise<DeliveryService> {
  const deps = { ...given, log: given.log.with({ component: 'delivery' }) };
  const { settings, eventLog, clock, idSource, log } = deps;
  const scope = new Scope({
    stepDeadlineMs: 5_000,
    onError: (step, error) => log.warn('close-step-failed', { step, error }),
  });
  const metrics = createDeliveryMetrics(deps.metrics);
  const refusals = new Refusals(metrics);
  const playback =
    deps.edge === undefined
      ? { kind: 'origin' as const, ...scope.use(await openWindowPlayback(deps, metrics), 'windows') }
      : { kind: 'edge' as const, ...scope.use(openEdgePlayback(deps, deps.edge, metrics), 'edge') };
  const { source } = playback;

  const streamTable = scope.use(eventLog.table(streamsTopic), 'stream table');
  const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing key table');
  const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked token table');
  const directory = scope.use(
    new StreamDirectory(streamTable, ({ streamId, kind }) => source.evict(streamId, kind)),
    'stream directory',
  );

  const videoTable = scope.use(eventLog.table(videosTopic), 'video table');
  const tokens = createTokenVerifier({ signingKeys, revoked, clock });
  const viewers = scope.use(await openViewerTracking(deps, metrics), 'viewers');
  const events = new BeaconRoutes({ intake: viewers.beacons, refusals, metrics });
  const restart = (exchange: AdmittedExchange) => routes.admit(exchange);
  const shared = { source, restart, refusals, metrics, clock };
  const routes: PlaybackRoutes = new PlaybackRoutes({
    directory,
    tokens,
    playlists: new PlaylistRoutes({ ...shared, idSource, viewers: viewers.door }),
    media: new MediaRoutes({ ...shared, mostStoreReads: settings.DELIVERY_MAX_STORE_READS }),
    beacons: viewers.beacons,
    events,
    refusals,
    metrics,
    log,
  });
  const videos = scope.use(openVideoPlayback(deps, { metrics, videoTable, tokens, viewers, events }), 'videos');
  scope.defer('held requests', () => source.drain());

  return {
    name: 'delivery',
    publicMounts: [routes, videos.mount],
    internalMounts: playback.kind === 'origin' ? edgeFacing(deps, metrics, playback) : [],
    writer:
      playback.kind === 'origin'
        ? createWindowWriter({ streams: playback.streams, directory, metrics })
        : createNoWindows(),
    readiness: () => readinessOf({ streamTable, videoTable, signingKeys, revoked }),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

/** The routes of an origin for its edges; none where nobody has a token for them. */
function edgeFacing(
  { serviceToken, metrics: registry, clock, idSource, settings }: DeliveryDeps,
  metrics: DeliveryMetrics,
  { source, streams }: WindowPlayback,
): readonly HttpMount[] {
  if (serviceToken === undefined) return [];
  const routes = new OriginRoutes({
    source,
    streams,
    metrics: createEdgeFacingMetrics(registry, metrics),
    clock,
    idSource,
    mostStoreReads: settings.DELIVERY_MAX_STORE_READS,
  });
  return [guardMount(routes, serviceTokenGuard(serviceToken))];
}

function readinessOf(tables: Readonly<Record<string, { readonly isReady: boolean }>>): Readiness {
  const names: Readonly<Record<string, string>> = {
    streamTable: 'streams',
    videoTable: 'videos',
    signingKeys: 'signing keys',
    revoked: 'revoked tokens',
  };
  const reasons = Object.entries(tables)
    .filter(([, table]) => !table.isReady)
    .map(([name]) => `${names[name] ?? name} are still being read`);
  return { ready: reasons.length === 0, reasons };
}

/**
 * Composition of delivery: the live windows in the middle, writers and the log on one side, players on the other. It knows
 * nothing of where its adapters come from, so it runs alone and in standalone alike.
 */
import { createTokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog, FactWriter } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic, streamsTopic } from '@millrace/events';
import type { LiveWindowOrigin } from '@millrace/handover';
import type { Readiness, Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { MetricsRegistry } from '@millrace/metrics';
import type { DeliverySettings } from './config.ts';
import { type AdmittedExchange, Refusals } from './inbound/exchange.ts';
import { MediaRoutes } from './inbound/media-routes.ts';
import { PlaybackRoutes } from './inbound/playback-routes.ts';
import { PlaylistRoutes } from './inbound/playlist-routes.ts';
import { StreamDirectory } from './inbound/stream-directory.ts';
import { createWindowWriter } from './inbound/window-writer.ts';
import { createDeliveryMetrics } from './metrics.ts';
import { openWindowPlayback } from './window-playback.ts';

export interface DeliveryDeps {
  readonly settings: DeliverySettings;
  readonly eventLog: EventLog;
  /** Says that the instance is alive; its id names the instance's folder in the media store. */
  readonly facts: Pick<FactWriter, 'instanceId'>;
  readonly mediaStore: MediaStore;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
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
  const { source, streams } = scope.use(await openWindowPlayback(deps, metrics), 'windows');

  const streamTable = scope.use(eventLog.table(streamsTopic), 'stream table');
  const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing key table');
  const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked token table');
  const directory = scope.use(
    new StreamDirectory(streamTable, ({ streamId, kind }) => source.evict(streamId, kind)),
    'stream directory',
  );

  const restart = (exchange: AdmittedExchange) => routes.admit(exchange);
  const shared = { source, restart, refusals, metrics, clock };
  const routes: PlaybackRoutes = new PlaybackRoutes({
    directory,
    tokens: createTokenVerifier({ signingKeys, revoked, clock }),
    playlists: new PlaylistRoutes({ ...shared, idSource }),
    media: new MediaRoutes({ ...shared, mostStoreReads: settings.DELIVERY_MAX_STORE_READS }),
    refusals,
    metrics,
    log,
  });
  scope.defer('held requests', () => source.drain());

  return {
    name: 'delivery',
    publicMounts: [routes],
    internalMounts: [],
    writer: createWindowWriter({ streams, directory, metrics }),
    readiness: () => readinessOf({ streamTable, signingKeys, revoked }),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

function readinessOf(tables: Readonly<Record<string, { readonly isReady: boolean }>>): Readiness {
  const names: Readonly<Record<string, string>> = {
    streamTable: 'streams',
    signingKeys: 'signing keys',
    revoked: 'revoked tokens',
  };
  const reasons = Object.entries(tables)
    .filter(([, table]) => !table.isReady)
    .map(([name]) => `${names[name] ?? name} are still being read`);
  return { ready: reasons.length === 0, reasons };
}

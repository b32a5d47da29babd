/**
 * Composition of delivery: the live windows in the middle, writers and the log on one side, players on the other. It knows
 * nothing of where its adapters come from, so it runs alone and in standalone alike.
 */
import { createTokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog, FactWriter } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic, streamsTopic } from '@millrace/events';
import type { LiveWindowWriter } from '@millrace/handover';
import type { Readiness, Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { MetricsRegistry } from '@millrace/metrics';
import type { DeliverySettings } from './config.ts';
import { LiveStreams } from './core/live-streams.ts';
import { WindowAges } from './core/window-ages.ts';
import { mintWindow } from './core/window-id.ts';
import { Refusals } from './inbound/exchange.ts';
import { HeldRequests } from './inbound/held-requests.ts';
import { MediaRoutes } from './inbound/media-routes.ts';
import { PlaybackRoutes } from './inbound/playback-routes.ts';
import { PlaylistBytes } from './inbound/playlist-bytes.ts';
import { PlaylistRoutes } from './inbound/playlist-routes.ts';
import { StreamDirectory } from './inbound/stream-directory.ts';
import { followStreamEnds } from './inbound/stream-ends.ts';
import { createWindowWriter } from './inbound/window-writer.ts';
import { createDeliveryMetrics, registerDeliveryGauges } from './metrics.ts';
import { WindowArchive } from './outbound/window-archive.ts';
import { WindowEffects } from './outbound/window-effects.ts';

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
  readonly writer: LiveWindowWriter;
}

const megabyte = 1024 * 1024;
const sweepMs = 250;

/** Opens delivery. Closing it answers who waits, takes no more requests in, and lets the archive finish. */
export async function createDeliveryService(deps: DeliveryDeps): Promise<DeliveryService> {
  const { settings, eventLog, facts, clock, idSource } = deps;
  const log = deps.log.with({ component: 'delivery' });
  const scope = new Scope({
    stepDeadlineMs: 5_000,
    onError: (step, error) => log.warn('close-step-failed', { step, error }),
  });
  const metrics = createDeliveryMetrics(deps.metrics);
  const refusals = new Refusals(metrics);
  const archive = scope.use(
    new WindowArchive({
      store: deps.mediaStore,
      prefix: `live/${facts.instanceId.replace(/[^A-Za-z0-9_-]/g, '-')}/`,
      queueCapacity: settings.DELIVERY_ARCHIVE_QUEUE,
      metrics,
      log,
    }),
    'archive',
  );
  await archive.sweep();

  const held: HeldRequests = new HeldRequests({
    capacity: settings.DELIVERY_MAX_WAITING,
    clock,
    metrics,
    refusals,
    restart: (exchange) => routes.admit(exchange),
  });
  const ages = new WindowAges({
    idleMs: settings.DELIVERY_IDLE_WINDOW_S * 1000,
    endedMs: settings.DELIVERY_ENDED_WINDOW_S * 1000,
  });
  const streams = new LiveStreams(
    {
      listedSegments: settings.DELIVERY_LISTED_SEGMENTS,
      streamMemoryBytes: settings.DELIVERY_STREAM_MEMORY_MB * megabyte,
      totalMemoryBytes: settings.DELIVERY_MEMORY_MB * megabyte,
      mostStreams: settings.DELIVERY_MAX_STREAMS,
    },
    () => mintWindow(idSource),
    new WindowEffects({ archive, ages, clock, log, metrics, waiters: held }),
  );
  registerDeliveryGauges(deps.metrics, {
    liveWindows: () => [...streams.windows()].length,
    memoryBytes: () => streams.memoryBytes,
    waitingRequests: () => held.count,
    archiveQueue: () => archive.queued,
  });

  const streamTable = scope.use(eventLog.table(streamsTopic), 'stream table');
  const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing key table');
  const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked token table');
  const directory = scope.use(
    new StreamDirectory(streamTable, ({ streamId, kind }) => {
      const window = streams.window(streamId);
      if (kind === 'deleted') streams.forget(streamId);
      else if (window !== undefined) held.evict(window);
    }),
    'stream directory',
  );

  const shared = { streams, held, refusals, metrics, clock };
  const playlists = new PlaylistBytes((encoding) => metrics.renders.inc({ encoding }));
  const routes = new PlaybackRoutes({
    directory,
    tokens: createTokenVerifier({ signingKeys, revoked, clock }),
    playlists: new PlaylistRoutes({ ...shared, playlists, idSource }),
    media: new MediaRoutes({
      ...shared,
      store: deps.mediaStore,
      keyOf: (window, track, segment) => archive.key(window.id, track.name, segment),
      mostStoreReads: settings.DELIVERY_MAX_STORE_READS,
    }),
    refusals,
    metrics,
    log,
  });

  scope.use(
    await followStreamEnds({
      eventLog,
      clock,
      log,
      onEnd: (streamId, epoch) => {
        const wasLive = streams.window(streamId)?.ended === false;
        if (streams.end(streamId, epoch).ok && wasLive) metrics.windowsEnded.inc({ reason: 'stream-ended' });
      },
    }),
    'stream ends',
  );
  const sweep = clock.every(sweepMs, () => {
    held.sweep();
    sweepWindows(streams, ages, clock.monotonicMs(), () => metrics.windowsEnded.inc({ reason: 'idle' }));
  });
  scope.defer('sweep', () => sweep.cancel());
  scope.defer('held requests', () => held.drain());

  return {
    name: 'delivery',
    publicMounts: [routes],
    internalMounts: [],
    writer: createWindowWriter({ streams, directory, metrics }),
    readiness: () => readinessOf({ streamTable, signingKeys, revoked }),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

function sweepWindows(streams: LiveStreams, ages: WindowAges, nowMs: number, onIdle: () => void): void {
  const due = ages.due(nowMs);
  if (due.length === 0) return;
  for (const [streamId, window] of [...streams.windows()]) {
    const action = due.find((entry) => entry.window === window)?.action;
    if (action === 'remove') streams.remove(streamId, window);
    else if (action === 'end' && streams.end(streamId, window.epoch).ok) onIdle();
  }
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

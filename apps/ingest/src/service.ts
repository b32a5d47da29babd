/** Composition of ingest: tables in, RTMP in, sources and facts out. */
import type { Clock } from '@millrace/clock';
import type { EventLog, FactWriter } from '@millrace/eventlog';
import type { ParkedWorkers } from '@millrace/handover';
import type { HttpMount, Readiness, Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MetricsRegistry } from '@millrace/metrics';
import type { IngestSettings } from './config.ts';
import { BroadcastRegister } from './core/broadcast-register.ts';
import { ByteBudget } from './core/byte-budget.ts';
import { SeenEpochs } from './core/epoch-source.ts';
import { defaultGuardLimits } from './core/guard-limits.ts';
import { createKeyCheck } from './inbound/key-check.ts';
import { KeyTable } from './inbound/key-table.ts';
import { watchLiveStreams } from './inbound/live-stream-watch.ts';
import { ReadCoalescer } from './inbound/read-coalescer.ts';
import { RtmpServer } from './inbound/rtmp-server.ts';
import { StreamTable } from './inbound/stream-table.ts';
import { rtmpsOptions } from './inbound/tls-files.ts';
import { createIngestMetrics, registerIngestGauges } from './metrics.ts';
import { createSourceOpener } from './outbound/source-feed.ts';
import { StreamFacts } from './outbound/stream-facts.ts';

export interface IngestDeps {
  readonly settings: IngestSettings;
  readonly eventLog: EventLog;
  readonly facts: FactWriter;
  readonly workers: ParkedWorkers;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  readonly instanceId: string;
  /** Where workers park, when they do so over HTTP. */
  readonly internalMounts?: readonly HttpMount[];
}

export interface IngestService extends Service {
  readonly rtmpPort: number;
  /** Absent when RTMPS is off. */
  readonly rtmpsPort?: number;
}

/** Opens ingest. Closing it drains: stop accepting, tell publishers, write the end facts, close. */
export async function createIngestService(deps: IngestDeps): Promise<IngestService> {
  const { settings, clock, log, eventLog, facts, instanceId } = deps;
  const metrics = createIngestMetrics(deps.metrics);
  const scope = new Scope({ onError: (name, error) => log.error('close-failed', { name, error }) });
  try {
    const epochs = new SeenEpochs(() => clock.nowMs());
    const reconnectWindowMs = settings.INGEST_RECONNECT_WINDOW_MS;
    const streamFacts = new StreamFacts({ facts, clock, log, metrics, instanceId, reconnectWindowMs });
    scope.defer('facts', () => streamFacts.settled());
    const sources = createSourceOpener({
      workers: deps.workers,
      epochs,
      clock,
      log,
      metrics,
      maxCacheBytes: settings.INGEST_MAX_CACHE_BYTES,
    });
    const register = scope.use(
      new BroadcastRegister({ clock, epochs, sources, facts: streamFacts, reconnectWindowMs }),
      'register',
    );
    const keys = scope.use(new KeyTable(eventLog, (keyId) => register.keyRevoked(keyId)), 'key-table');
    const streams = scope.use(
      new StreamTable(eventLog, (streamId) => {
        register.streamDeleted(streamId);
        epochs.forget(streamId);
      }),
      'stream-table',
    );
    const watch = watchLiveStreams({
      eventLog,
      clock,
      log,
      instanceId,
      onEpoch: (streamId, epoch, publishes) => {
        epochs.seen(streamId, epoch);
        if (publishes) register.superseded(streamId, epoch);
      },
    });
    scope.use(watch, 'live-stream-watch');
    const coalescer = scope.use(
      new ReadCoalescer({
        clock,
        aboveReadsPerSecond: settings.INGEST_COALESCE_ABOVE_READS,
        tickMs: settings.INGEST_COALESCE_TICK_MS,
        onRest: () => metrics.coalescedReads.inc(),
      }),
      'read-coalescer',
    );
    const budget = new ByteBudget(settings.INGEST_MAX_BUFFERED_BYTES);
    const rtmps = rtmpsOptions(settings, log);
    if (rtmps !== undefined) scope.use(rtmps.files, 'tls-files');
    const server = await RtmpServer.listen(
      {
        host: settings.RTMP_HOST,
        rtmpPort: settings.RTMP_PORT,
        rtmps,
        admission: {
          maxConnections: settings.INGEST_MAX_CONNECTIONS,
          maxConnectionsPerAddress: settings.INGEST_MAX_CONNECTIONS_PER_ADDRESS,
        },
        drainMs: settings.INGEST_DRAIN_MS,
      },
      {
        app: settings.INGEST_APP,
        guardLimits: { ...defaultGuardLimits, maxMediaBytes: settings.INGEST_MAX_MESSAGE_BYTES },
        deadlines: {
          handshakeMs: settings.INGEST_HANDSHAKE_MS,
          publishMs: settings.INGEST_PUBLISH_MS,
          idleMs: settings.INGEST_IDLE_MS,
          pingMs: 30_000,
        },
        budget,
        checkKey: createKeyCheck({
          keys,
          streams,
          clock,
          idSource: deps.idSource,
          readyWaitMs: settings.INGEST_KEY_TABLE_WAIT_MS,
        }),
        register,
        coalescer,
        clock,
        log,
        metrics,
      },
    );
    scope.use(server, 'rtmp-server');
    scope.defer('broadcasts', () => register.drain());
    registerIngestGauges(deps.metrics, {
      openConnections: () => server.connections,
      liveStreams: () => register.count('live'),
      interruptedStreams: () => register.count('interrupted'),
      bufferedBytes: () => budget.used,
      idleWorkers: () => deps.workers.idle,
    });
    log.info('listening', { rtmp_port: server.rtmpPort, rtmps_port: server.rtmpsPort });
    return {
      name: 'ingest',
      publicMounts: [],
      internalMounts: deps.internalMounts ?? [],
      rtmpPort: server.rtmpPort,
      ...(server.rtmpsPort === undefined ? {} : { rtmpsPort: server.rtmpsPort }),
      readiness: () => readinessOf(keys, streams),
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

function readinessOf(keys: KeyTable, streams: StreamTable): Readiness {
  const reasons: string[] = [];
  if (!keys.isReady) reasons.push('the table of stream keys is not ready');
  if (!streams.isReady) reasons.push('the table of streams is not ready');
  return { ready: reasons.length === 0, reasons };
}

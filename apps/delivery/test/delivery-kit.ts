/** A whole delivery service on a real listener, with the log and the store in memory and a clock moved by hand. */
import { ManualClock } from '@millrace/clock/testing';
import { loadSettings } from '@millrace/config';
import { type EventLog, record, tombstone } from '@millrace/eventlog';
import { openMemoryEventLog, openMemoryFactWriter } from '@millrace/eventlog/testing';
import { type StreamDefinition, streamsTopic } from '@millrace/events';
import { type HttpServer, openHttpServer } from '@millrace/http';
import { newId, type StreamId } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { type MemoryStore, openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry } from '@millrace/metrics';
import { expectOk } from '@millrace/result';
import { deliverySettings } from '../src/config.ts';
import { createDeliveryService, type DeliveryService } from '../src/service.ts';

export interface DeliveryKit extends AsyncDisposable {
  readonly service: DeliveryService;
  readonly eventLog: EventLog;
  readonly store: MemoryStore;
  readonly clock: ManualClock;
  readonly registry: ReturnType<typeof openMetricsRegistry>;
  readonly http: HttpServer;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Defines a stream and waits until delivery knows it. */
  define(stream?: Partial<StreamDefinition>): Promise<{ streamId: StreamId; playbackId: string }>;
  redefine(streamId: StreamId, change: Partial<StreamDefinition> | undefined): Promise<void>;
  /** The value of a metric sample, summed over labels that contain `labels`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export const kitServiceToken = 'a-service-token-for-tests';

/** Opens the kit; `env` overrides settings by their variables. */
export async function openDeliveryKit(
  env: Readonly<Record<string, string>> = {},
  given: {
    readonly store?: MemoryStore;
    readonly journalDir?: string;
    /** Places in the buffer of samples; a kit has always enough. */
    readonly sampleRoom?: () => number;
  } = {},
): Promise<DeliveryKit> {
  const { store = openMemoryStore(), journalDir, sampleRoom } = given;
  const eventLog = openMemoryEventLog();
  const clock = new ManualClock();
  const registry = openMetricsRegistry({ processMetrics: false });
  const facts = openMemoryFactWriter(eventLog, { instanceId: 'delivery-1', ...(sampleRoom && { sampleRoom }) });
  const idSource = {
    nowMs: () => clock.nowMs(),
    random: (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes),
  };
  const settings = expectOk(loadSettings(deliverySettings, env), 'settings of the test');
  const service = await createDeliveryService({
    settings,
    eventLog,
    facts,
    mediaStore: store,
    ...(journalDir === undefined ? {} : { journalDir }),
    log: silentLogger,
    clock,
    idSource,
    metrics: registry,
    serviceToken: kitServiceToken,
  });
  const http = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    mounts: service.publicMounts,
    log: silentLogger,
    limits: { drainMs: 500 },
  });
  const definitions = new Map<StreamId, StreamDefinition>();
  const known = async (done: () => boolean) => {
    for (let i = 0; i < 2_000 && !done(); i++) await new Promise((resolve) => setImmediate(resolve));
    if (!done()) throw new Error('delivery did not hear of a stream definition');
  };
  const followed = eventLog.table(streamsTopic);
  const publish = async (definition: StreamDefinition) => {
    definitions.set(definition.stream_id as StreamId, definition);
    await eventLog.publish([record(streamsTopic, definition)]);
    await known(() => followed.get(definition.stream_id)?.updated_at_ms === definition.updated_at_ms);
    await clock.advance(0);
  };
  let updates = 0;
  return {
    service,
    eventLog,
    store,
    clock,
    registry,
    http,
    origin: `http://127.0.0.1:${http.port}`,
    async define(stream = {}) {
      const definition: StreamDefinition = {
        stream_id: newId('str'),
        playback_id: newId('play'),
        owner_id: 'own_1',
        title: 'A stream',
        visibility: 'public',
        latency_mode: 'low',
        created_at_ms: 1,
        updated_at_ms: ++updates,
        ...stream,
      };
      await publish(definition);
      return { streamId: definition.stream_id as StreamId, playbackId: definition.playback_id };
    },
    async redefine(streamId, change) {
      const definition = definitions.get(streamId);
      if (definition === undefined) throw new Error(`unknown ${streamId}`);
      if (change !== undefined) return publish({ ...definition, ...change, updated_at_ms: ++updates });
      await eventLog.publish([tombstone(streamsTopic, streamId)]);
      await known(() => followed.get(streamId) === undefined);
      await clock.advance(0);
    },
    async metric(name, labels = {}) {
      const metric = await registry.getSingleMetric(name)?.get();
      const samples = metric?.values ?? [];
      return samples
        .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
        .reduce((sum, sample) => sum + sample.value, 0);
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
      await followed[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
    },
  };
}

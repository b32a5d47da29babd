/** An edge in front of the origins of delivery kits: real listeners, the log and the clock of the first kit. */
import { loadSettings } from '@millrace/config';
import { openMemoryFactWriter } from '@millrace/eventlog/testing';
import { type HttpServer, openHttpServer } from '@millrace/http';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { expectOk } from '@millrace/result';
import { deliverySettings } from '../src/config.ts';
import { createDeliveryService, type DeliveryService } from '../src/service.ts';
import { type DeliveryKit, kitServiceToken, openDeliveryKit } from './delivery-kit.ts';

export interface EdgeKit extends DeliveryKit {
  readonly edge: DeliveryService;
  /** The origin that `service.writer` writes to. */
  readonly originService: DeliveryService;
  /** A further origin, when asked for. */
  readonly second: DeliveryService | undefined;
  /** The internal listener of the origin; it can be closed and opened again on the same port. */
  readonly internal: HttpServer;
  edgeMetric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  originMetric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** The internal listener of an origin. */
export function openInternal(service: DeliveryService, port = 0): Promise<HttpServer> {
  return openHttpServer({
    host: '127.0.0.1',
    port,
    mounts: service.internalMounts,
    log: silentLogger,
    limits: { drainMs: 100 },
  });
}

const gaugeOfBoth = 'millrace_delivery_waiting_requests';

/**
 * Opens a kit whose players speak to an edge, while writers write to the origin behind it. Metrics are the edge's, else the
 * origin's; waiting requests are those at the edge, once the origin holds any.
 */
export async function openEdgeKit(
  env: Readonly<Record<string, string>> = {},
  { twoOrigins = false }: { readonly twoOrigins?: boolean } = {},
): Promise<EdgeKit> {
  const kit = await openDeliveryKit(env);
  const internal = await openInternal(kit.service);
  const registry = openMetricsRegistry({ processMetrics: false });
  const shared = (instanceId: string) => ({
    settings: expectOk(loadSettings(deliverySettings, env), 'settings of the test'),
    eventLog: kit.eventLog,
    facts: openMemoryFactWriter(kit.eventLog, { instanceId }),
    mediaStore: kit.store,
    log: silentLogger,
    clock: kit.clock,
    idSource: {
      nowMs: () => kit.clock.nowMs(),
      random: (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes),
    },
    serviceToken: kitServiceToken,
  });
  const second = twoOrigins
    ? await createDeliveryService({
        ...shared('delivery-2'),
        metrics: openMetricsRegistry({ processMetrics: false }),
      })
    : undefined;
  const secondInternal = second === undefined ? undefined : await openInternal(second);
  const edge = await createDeliveryService({
    ...shared('edge-1'),
    metrics: registry,
    edge: {
      originUrls: [internal, ...(secondInternal === undefined ? [] : [secondInternal])].map(
        ({ port }) => `http://127.0.0.1:${port}`,
      ),
      cacheMb: Number(env['DELIVERY_EDGE_CACHE_MB'] ?? 16),
      mostSockets: 256,
    },
  });
  const http = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    mounts: edge.publicMounts,
    log: silentLogger,
    limits: { drainMs: 500 },
  });
  const edgeMetric: EdgeKit['edgeMetric'] = async (name, labels = {}) => {
    const metric = await registry.getSingleMetric(name)?.get();
    return (metric?.values ?? [])
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((sum, sample) => sum + sample.value, 0);
  };
  return {
    ...kit,
    service: { ...edge, writer: kit.service.writer },
    edge,
    originService: kit.service,
    second,
    internal,
    http,
    origin: `http://127.0.0.1:${http.port}`,
    edgeMetric,
    originMetric: kit.metric,
    async metric(name, labels) {
      const [atEdge, atOrigin] = [await edgeMetric(name, labels), await kit.metric(name, labels)];
      if (name === gaugeOfBoth) return atOrigin > 0 ? atEdge : 0;
      return atEdge > 0 ? atEdge : atOrigin;
    },
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
      await second?.[Symbol.asyncDispose]();
      await secondInternal?.[Symbol.asyncDispose]();
      await kit.service[Symbol.asyncDispose]();
      await internal[Symbol.asyncDispose]();
      await kit[Symbol.asyncDispose]();
    },
  };
}

/** Which processes make a cluster on one machine, and what each is told: data, no I/O. */

export interface PlannedService {
  readonly name: string;
  readonly app: string;
  readonly env: Readonly<Record<string, string>>;
  /** Public listener; undefined: the service has none. */
  readonly httpUrl: string | undefined;
  readonly internalUrl: string;
  /** Services stop in this order, those with the same number together: as media flows, then facts. */
  readonly stopsAt: number;
}

/** Ports of one process on 127.0.0.1. */
export interface ServicePorts {
  readonly http: number;
  readonly internal: number;
}

export interface PlanGiven {
  readonly ports: ReadonlyMap<string, ServicePorts>;
  readonly frontPort: number;
  readonly rtmpPort: number;
  readonly publicUrl: string;
  /** Each process keeps what has to survive in its own folder below. */
  readonly dataDir: string;
  readonly serviceToken: string;
  readonly databaseUrl: string;
  /** Empty: the event log is in PostgreSQL. */
  readonly kafkaBrokers: readonly string[];
  /** Unset: analytics starts the embedded engine. */
  readonly clickhouseUrl: string | undefined;
  /** Added to every process. */
  readonly settings: Readonly<Record<string, string>>;
}

const loopback = (port: number) => `http://127.0.0.1:${port}`;

/** Name, app and place in the stop order of every service process; two of each that scales with load. */
export const clusterServices = [
  { name: 'control-1', app: 'control', stopsAt: 5, listens: true },
  { name: 'progress-1', app: 'progress', stopsAt: 4, listens: true },
  { name: 'ingest-1', app: 'ingest', stopsAt: 0, listens: false },
  { name: 'transcode-1', app: 'transcode', stopsAt: 1, listens: false },
  { name: 'transcode-2', app: 'transcode', stopsAt: 1, listens: false },
  { name: 'delivery-origin-1', app: 'delivery', stopsAt: 3, listens: true },
  { name: 'delivery-origin-2', app: 'delivery', stopsAt: 3, listens: true },
  { name: 'delivery-edge-1', app: 'delivery', stopsAt: 2, listens: true },
  { name: 'delivery-edge-2', app: 'delivery', stopsAt: 2, listens: true },
  { name: 'hub-1', app: 'hub', stopsAt: 3, listens: true },
  { name: 'hub-2', app: 'hub', stopsAt: 3, listens: true },
  { name: 'analytics-1', app: 'analytics', stopsAt: 4, listens: true },
] as const;

export type ClusterServiceName = (typeof clusterServices)[number]['name'];

/** The processes with their settings. Throws when a port is missing. */
export function planCluster(given: PlanGiven): readonly PlannedService[] {
  const portsOf = (name: string): ServicePorts => {
    const ports = given.ports.get(name);
    if (ports === undefined) throw new Error(`expected ports for ${name}`);
    return ports;
  };
  const internalOf = (prefix: string) =>
    clusterServices.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => loopback(portsOf(name).internal));
  // Workers write what deliveries play.
  const mediaDir = `${given.dataDir}/media`;
  const origins = internalOf('delivery-origin').join(',');
  const own = (name: string, app: string): Readonly<Record<string, string>> => {
    switch (app) {
      case 'control':
        return { DATABASE_URL: given.databaseUrl, CONTROL_INSTANCE_ID: name };
      case 'progress':
        return { DATABASE_URL: given.databaseUrl, PROGRESS_INSTANCE_ID: name, MEDIA_DIR: mediaDir };
      case 'ingest':
        return { INGEST_INSTANCE_ID: name };
      case 'transcode':
        return {
          TRANSCODE_WORKER_ID: name,
          TRANSCODE_INGEST_URLS: internalOf('ingest').join(','),
          TRANSCODE_DELIVERY_URLS: origins,
          TRANSCODE_PROGRESS_URL: internalOf('progress')[0] ?? '',
          MEDIA_DIR: mediaDir,
        };
      case 'delivery': {
        const role = name.startsWith('delivery-edge') ? 'edge' : 'origin';
        return {
          DELIVERY_INSTANCE_ID: name,
          DELIVERY_ROLE: role,
          MEDIA_DIR: mediaDir,
          ...(role === 'edge' ? { DELIVERY_ORIGIN_URLS: origins } : {}),
          TRUSTED_PROXIES: '127.0.0.1,::1',
        };
      }
      case 'hub':
        return { HUB_INSTANCE_ID: name, TRUSTED_PROXIES: '127.0.0.1,::1' };
      case 'analytics':
        return {
          ANALYTICS_INSTANCE_ID: name,
          ...(given.clickhouseUrl === undefined ? {} : { CLICKHOUSE_URL: given.clickhouseUrl }),
        };
      default:
        throw new Error(`no plan for ${app}`);
    }
  };
  return clusterServices.map(({ name, app, stopsAt, listens }) => {
    const ports = portsOf(name);
    return {
      name,
      app,
      stopsAt,
      httpUrl: listens ? loopback(ports.http) : undefined,
      internalUrl: loopback(ports.internal),
      env: {
        ...(given.kafkaBrokers.length > 0
          ? { KAFKA_BROKERS: given.kafkaBrokers.join(','), KAFKA_REPLICATION: '1' }
          : { DATABASE_URL: given.databaseUrl }),
        ...given.settings,
        DATA_DIR: `${given.dataDir}/${name}`,
        HTTP_PORT: String(ports.http),
        INTERNAL_HTTP_PORT: String(ports.internal),
        RTMP_PORT: String(given.rtmpPort),
        PUBLIC_URL: given.publicUrl,
        MILLRACE_SERVICE_TOKEN: given.serviceToken,
        ...own(name, app),
      },
    };
  });
}

/** Variables of `env` that are settings of a service, to be handed on to all of them. */
export function serviceSettings(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const ours = /^(CONTROL|INGEST|TRANSCODE|DELIVERY|PROGRESS|HUB|ANALYTICS|CLICKHOUSE|KAFKA|MEDIA|RTMPS)_/;
  const entries = Object.entries(env).filter((entry): entry is [string, string] => ours.test(entry[0]) && !!entry[1]);
  return Object.fromEntries(entries);
}

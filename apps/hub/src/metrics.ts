import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';

/** Values that are read when somebody scrapes. */
export interface HubGauges {
  readonly webSockets: () => number;
  readonly eventStreams: () => number;
  readonly subscriptions: () => number;
  readonly waiting: () => number;
  readonly groups: () => number;
  readonly streams: () => number;
  readonly jobs: () => number;
  readonly viewers: () => number;
}

/** Every counter of the service, in one table. */
export function createHubMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `millrace_hub_${name}_total`, help, labelNames, registers });
  const skipped = counter('messages_skipped', 'Conflated messages left out for a client, by reason.', ['reason']);
  // There from the start, so that a scrape can tell none from not measured.
  skipped.inc({ reason: 'slow' }, 0);
  return {
    accepted: counter('connections', 'Connections accepted, by transport.', ['transport']),
    refused: counter('connections_refused', 'Connections refused, by reason.', ['reason']),
    closed: counter('connections_closed', 'Connections that the hub closed, by reason.', ['reason']),
    requests: counter('requests', 'Requests of clients, by what they ask.', ['op']),
    requestsRefused: counter('requests_refused', 'Requests that were refused, by reason.', ['reason']),
    joined: counter('subscriptions', 'Subscriptions, by how they began.', ['outcome']),
    ended: counter('subscriptions_ended', 'Subscriptions that the hub ended, by reason.', ['reason']),
    messagesOut: counter('messages_out', 'Messages written to clients.', []),
    bytesOut: counter('bytes_out', 'Bytes written to clients.', []),
    skipped,
    records: counter('log_records', 'Records read from the event log, by topic.', ['topic']),
    instancesLost: counter('instances_lost', 'Delivery instances whose viewers vanished because they fell silent.', []),
    broadcastSeconds: new Histogram({
      name: 'millrace_hub_broadcast_seconds',
      help: 'From the first message of a turn until the last client of the turn was written to.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
      registers,
    }),
  };
}

export type HubMetrics = ReturnType<typeof createHubMetrics>;

/** Registers what is read when somebody scrapes. */
export function registerHubGauges(registry: MetricsRegistry, gauges: HubGauges): void {
  const registers = [registry];
  new Gauge({
    name: 'millrace_hub_sockets',
    help: 'Connected clients, by transport.',
    labelNames: ['transport'],
    registers,
    collect() {
      this.set({ transport: 'websocket' }, gauges.webSockets());
      this.set({ transport: 'sse' }, gauges.eventStreams());
    },
  });
  const table: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['open_subscriptions', 'Channels that clients are subscribed to, in all.', gauges.subscriptions],
    ['waiting_subscriptions', 'Subscriptions that wait until enough of the log has been read.', gauges.waiting],
    ['channel_groups', 'Different messages a change can become: channels by who sees them.', gauges.groups],
    ['known_streams', 'Streams in memory.', gauges.streams],
    ['known_jobs', 'Jobs in memory.', gauges.jobs],
    ['viewers', 'Viewers of all streams, summed over the delivery instances that are alive.', gauges.viewers],
  ];
  for (const [name, help, read] of table) {
    new Gauge({
      name: `millrace_hub_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}

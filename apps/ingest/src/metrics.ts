/** Every metric of ingest. Reasons and outcomes are from bounded lists; no stream or session ids. */
import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

/** Registers the counters and histograms in `registry`. */
export function createIngestMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `millrace_ingest_${name}_total`, help, labelNames: [...labelNames], registers });
  return {
    connections: counter('connections', 'Connections accepted, by transport.', ['transport']),
    connectionsRefused: counter('connections_refused', 'Connections closed at once, by reason.', ['reason']),
    connectionsEnded: counter('connections_ended', 'Connections ended by the guard, by the rule they broke.', [
      'reason',
    ]),
    publishes: counter('publishes', 'Publishes started.'),
    publishesRefused: counter('publishes_refused', 'Publishes refused, by reason.', ['reason']),
    receivedBytes: counter('received_bytes', 'Bytes read from publishers.'),
    reads: counter('reads', 'Reads from sockets of publishers.'),
    coalescedReads: counter('coalesced_reads', 'Reads after which the socket rested until the next tick.'),
    messages: counter('messages', 'Whole RTMP messages taken.'),
    messagesDropped: counter('messages_dropped', 'Messages left out without ending the connection, by reason.', [
      'reason',
    ]),
    pauses: counter('publisher_pauses', 'Times a publisher was slowed because its worker was behind.'),
    assignments: counter('source_assignments', 'Offers of a source to the parked workers, by outcome.', ['outcome']),
    claimsLost: counter('source_claims_lost', 'Claims that ended without ingest wanting it, by reason.', ['reason']),
    cacheOverflows: counter('gop_cache_overflows', 'Groups of pictures dropped because the cache was full.'),
    factsFailed: counter('facts_failed', 'Facts that could not be written, by type.', ['type']),
    authSeconds: new Histogram({
      name: 'millrace_ingest_key_check_seconds',
      help: 'From the publish command to the answer of the key check.',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5],
      registers,
    }),
  };
}

/** Values that are read when somebody scrapes. */
export interface IngestGauges {
  readonly openConnections: () => number;
  readonly liveStreams: () => number;
  readonly interruptedStreams: () => number;
  readonly bufferedBytes: () => number;
  readonly idleWorkers: () => number;
}

/** Registers what is read when somebody scrapes. */
export function registerIngestGauges(registry: MetricsRegistry, gauges: IngestGauges): void {
  const table: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['open_connections', 'Connections open now.', gauges.openConnections],
    ['live_streams', 'Streams on air now.', gauges.liveStreams],
    ['interrupted_streams', 'Streams that wait for their encoder.', gauges.interruptedStreams],
    ['buffered_bytes', 'Claimed bytes of unfinished messages.', gauges.bufferedBytes],
    ['idle_workers', 'Transcode workers that could take a source.', gauges.idleWorkers],
  ];
  for (const [name, help, read] of table) {
    new Gauge({
      name: `millrace_ingest_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}

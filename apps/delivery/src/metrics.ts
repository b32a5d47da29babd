import { Counter, Gauge, type MetricsRegistry } from '@millrace/metrics';

/** Values that are read when somebody scrapes. */
export interface DeliveryGauges {
  readonly liveWindows: () => number;
  readonly memoryBytes: () => number;
  readonly waitingRequests: () => number;
  readonly archiveQueue: () => number;
}

/** Every counter of the service, in one table. */
export function createDeliveryMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `millrace_delivery_${name}_total`, help, labelNames, registers });
  return {
    parts: counter('parts', 'Parts taken into windows.', ['kind']),
    mediaBytesIn: counter('media_bytes_in', 'Bytes of the parts taken.', ['kind']),
    refusals: counter('write_refusals', 'Writes to windows that were refused.', ['reason']),
    windowsOpened: counter('windows_opened', 'Windows opened: one for each broadcast.', []),
    windowsEnded: counter('windows_ended', 'Windows ended, by who said so.', ['reason']),
    segmentsShed: counter('segments_shed', 'Segments that left a window before their time.', ['reason']),
    archiveWrites: counter('archive_writes', 'Segments written to the media store, by outcome.', ['outcome']),
    archiveDeletes: counter('archive_deletes', 'Deletions in the media store, by outcome.', ['outcome']),
    responses: counter('responses', 'Answers to players, by what was asked and status.', ['resource', 'status']),
    bytesOut: counter('media_bytes_out', 'Media bytes sent to players, by where they came from.', ['source']),
    waits: counter('waits', 'Held requests by how their wait ended.', ['outcome']),
    renders: counter('playlist_renders', 'Media playlists rendered, by encoding.', ['encoding']),
    sessions: counter('sessions_minted', 'Viewer sessions minted by multivariant playlists.', []),
  };
}

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>;

/** Registers what is read when somebody scrapes. */
export function registerDeliveryGauges(registry: MetricsRegistry, gauges: DeliveryGauges): void {
  const table: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['live_windows', 'Windows in memory, ended ones that are still readable included.', gauges.liveWindows],
    ['media_memory_bytes', 'Media bytes of all windows that are in memory.', gauges.memoryBytes],
    ['waiting_requests', 'Requests that wait for a part.', gauges.waitingRequests],
    ['archive_queue_jobs', 'Writes and deletions that wait for the media store.', gauges.archiveQueue],
  ];
  for (const [name, help, read] of table) {
    new Gauge({
      name: `millrace_delivery_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}

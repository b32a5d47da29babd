import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';

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
    viewerJoins: counter('viewer_joins', 'Sessions that this instance began to count or claimed.', ['kind']),
    viewerLeaves: counter('viewer_leaves', 'Sessions that this instance ceased to count, by reason.', ['reason']),
    sessionRefusals: counter('session_refusals', 'Attempts of viewers who are not kept track of.', ['reason']),
    sessionFactsLost: counter('session_facts_lost', 'Joins and leaves that could not be written.', ['reason']),
    beacons: counter('beacons', 'CMCD reports taken, by where they came from.', ['mode']),
    beaconDrops: counter('beacon_drops', 'CMCD reports, or values of them, that were not taken.', ['reason']),
    videoResponses: counter('video_responses', 'Answers below /vod, by what was asked and status.', [
      'resource',
      'status',
    ]),
    videoBytesOut: counter('video_bytes_out', 'Bytes of videos sent, by what was asked.', ['resource']),
    videoRefusals: counter('video_refusals', 'Requests below /vod that were refused.', ['reason']),
    videoTexts: counter('video_texts', 'Playlists and captions of videos, by where they came from.', ['outcome']),
  };
}

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>;

/** Registers what is read when somebody scrapes. */
export function registerDeliveryGauges(registry: MetricsRegistry, gauges: DeliveryGauges): void {
  registerGauges(registry, [
    ['live_windows', 'Windows in memory, ended ones that are still readable included.', gauges.liveWindows],
    ['media_memory_bytes', 'Media bytes of all windows that are in memory.', gauges.memoryBytes],
    ['waiting_requests', 'Requests that wait for a part.', gauges.waitingRequests],
    ['archive_queue_jobs', 'Writes and deletions that wait for the media store.', gauges.archiveQueue],
  ]);
}

/** Registers what the viewers' side reads when somebody scrapes. */
export function registerViewerGauges(
  registry: MetricsRegistry,
  gauges: { readonly sessions: () => Readonly<Record<string, number>>; readonly viewers: () => number },
): void {
  registerGauges(registry, [
    ['audience_viewers', 'Viewers that this instance counts, of all streams.', gauges.viewers],
  ]);
  new Gauge({
    name: 'millrace_delivery_viewer_sessions',
    help: 'Viewer sessions that this instance hears, by who counts them.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(gauges.sessions())) this.set({ state }, count);
    },
  });
}

/** Registers what playing videos reads when somebody scrapes. */
export function registerVideoGauges(
  registry: MetricsRegistry,
  gauges: Readonly<Record<'reads' | 'videos', () => number>>,
): void {
  registerGauges(registry, [
    ['video_reads_running', 'Reads of videos in the media store that are under way.', gauges.reads],
    ['known_videos', 'Videos that can be asked for.', gauges.videos],
  ]);
}

type GaugeRow = readonly [name: string, help: string, read: () => number];

function registerGauges(registry: MetricsRegistry, table: readonly GaugeRow[]): void {
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

/** What an origin counts of the edges it serves. They have no sessions. */
export function createEdgeFacingMetrics(registry: MetricsRegistry, { sessions }: Pick<DeliveryMetrics, 'sessions'>) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `millrace_delivery_${name}_total`, help, labelNames, registers: [registry] });
  return {
    responses: counter('edge_responses', 'Answers to edges, by what was asked and status.', ['resource', 'status']),
    bytesOut: counter('edge_media_bytes_out', 'Media bytes sent to edges, by where they came from.', ['source']),
    sessions,
  };
}

export type EdgeFacingMetrics = ReturnType<typeof createEdgeFacingMetrics>;

/** What an edge counts of its origins and of what it keeps. */
export function createUpstreamMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `millrace_delivery_${name}_total`, help, labelNames, registers });
  const hits = counter('edge_cache_hits', 'Requests answered from what the edge has.', ['resource']);
  const misses = counter('edge_cache_misses', 'Requests that the edge had no answer for.', ['resource']);
  return {
    cache: (outcome: 'hit' | 'miss', resource: string) => (outcome === 'hit' ? hits : misses).inc({ resource }),
    collapsed: counter('edge_collapsed_requests', 'Requests that joined one already under way.', ['resource']),
    requests: counter('upstream_requests', 'Requests to origins.', ['resource']),
    errors: counter('upstream_errors', 'Requests to origins that got no usable answer.', ['reason']),
    originMoves: counter('origin_moves', 'Streams that left their origin, by what gave it away.', ['reason']),
    seconds: new Histogram<'resource'>({
      name: 'millrace_delivery_upstream_seconds',
      help: 'From asking an origin to its whole answer; playlists and hinted parts are held there on purpose.',
      labelNames: ['resource'],
      buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
  };
}

export type UpstreamMetrics = ReturnType<typeof createUpstreamMetrics>;

/** Registers what an edge reads when somebody scrapes. */
export function registerEdgeGauges(
  registry: MetricsRegistry,
  gauges: Readonly<Record<'cacheBytes' | 'waiting' | 'running' | 'away', () => number>>,
): void {
  registerGauges(registry, [
    ['edge_cache_bytes', 'Bytes of media that the edge keeps.', gauges.cacheBytes],
    ['waiting_requests', 'Requests that wait for a part.', gauges.waiting],
    ['upstream_running_requests', 'Requests to origins that are under way.', gauges.running],
    ['origins_away', 'Origins that failed and are left alone for a moment.', gauges.away],
  ]);
}

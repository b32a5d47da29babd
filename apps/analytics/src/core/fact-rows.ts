/**
 * From facts to rows of ClickHouse. The transform is pure: the same record gives the same rows for ever, because exactly-once
 * insertion sends a batch again after a crash and recognises it by its token. So nothing here asks a clock, a table or chance.
 */
import {
  type AudienceCount,
  audienceTopic,
  type Beacon,
  beaconsTopic,
  type HealthSample,
  healthTopic,
  type LiveStreamFact,
  liveStreamsTopic,
  type RenditionFact,
  renditionsTopic,
  type StreamDefinition,
  streamsTopic,
  type Topic,
  type ViewerFact,
  viewerSessionsTopic,
} from '@millrace/events';

/** Tables that take rows; materialised views fill the others. */
export const factTables = [
  'streams',
  'stream_events',
  'renditions',
  'ingest_health',
  'viewer_events',
  'beacons',
  'audience',
] as const;
export type FactTable = (typeof factTables)[number];

type Cell = string | number | boolean | null | readonly string[];
export interface FactRow {
  readonly table: FactTable;
  /** Column to value, as JSONEachRow takes it: times are integer ms; absent columns get their default. */
  readonly row: Readonly<Record<string, Cell>>;
}

/** What the transform looks at of a record. */
export interface FactRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: unknown;
}

type RowOf = (value: unknown) => FactRow;
const byTopic = new Map<string, RowOf>();
const consumed: Topic[] = [];

// The log has checked each value against its topic's schema, so the cast says what is known.
function takes<T>(topic: Topic<T>, table: FactTable, row: (value: T) => FactRow['row']): void {
  byTopic.set(topic.name, (value) => ({ table, row: row(value as T) }));
  consumed.push(topic);
}

takes(streamsTopic, 'streams', streamRow);
takes(liveStreamsTopic, 'stream_events', streamEventRow);
takes(renditionsTopic, 'renditions', renditionRow);
takes(healthTopic, 'ingest_health', healthRow);
takes(viewerSessionsTopic, 'viewer_events', viewerRow);
takes(beaconsTopic, 'beacons', beaconRow);
takes(audienceTopic, 'audience', audienceRow);

/** Topics that the sink consumes. */
export const factTopics: readonly Topic[] = consumed;

/**
 * The rows of a record; none for a tombstone (what was deleted keeps its history) and for topics that analytics does not take.
 */
export function rowsOf(record: FactRecord): readonly FactRow[] {
  if (record.value === undefined) return [];
  const row = byTopic.get(record.topic);
  return row === undefined ? [] : [row(record.value)];
}

function streamRow(value: StreamDefinition): FactRow['row'] {
  return {
    stream_id: value.stream_id,
    owner_id: value.owner_id,
    playback_id: value.playback_id,
    title: wellFormed(value.title),
    visibility: value.visibility,
    latency_mode: value.latency_mode,
    created_at: value.created_at_ms,
    updated_at: value.updated_at_ms,
  };
}

function streamEventRow(value: LiveStreamFact): FactRow['row'] {
  return {
    ...ofStream(value),
    type: value.type,
    owner_id: value.owner_id,
    publish_id: value.publish_id,
    reason: 'reason' in value ? value.reason : '',
    encoder: wellFormed(('encoder' in value ? value.encoder : undefined) ?? ''),
  };
}

function renditionRow(value: RenditionFact): FactRow['row'] {
  return {
    ...ofStream(value),
    rendition: value.rendition,
    kind: value.kind,
    codecs: value.codecs,
    width: optional(value.width),
    height: optional(value.height),
    frame_rate: value.frame_rate ?? null,
    sample_rate: optional(value.sample_rate),
    channels: optional(value.channels),
  };
}

function ofStream(value: LiveStreamFact | RenditionFact) {
  return { at: value.at_ms, stream_id: value.stream_id, epoch: value.epoch, instance_id: value.instance_id };
}

function healthRow(value: HealthSample): FactRow['row'] {
  return {
    at: value.at_ms,
    stream_id: value.stream_id,
    epoch: value.epoch,
    state: value.state,
    video_bps: value.video_bps,
    audio_bps: value.audio_bps,
    frames_per_second: value.frames_per_second,
    keyframe_interval_s: value.keyframe_interval_s ?? null,
    av_drift_ms: value.av_drift_ms ?? null,
    timestamp_gaps: natural(value.timestamp_gaps),
    video_codec: value.video_codec ?? '',
    audio_codec: value.audio_codec ?? '',
    width: optional(value.width),
    height: optional(value.height),
    warnings: value.warnings.map((warning) => warning.code),
  };
}

function viewerRow(value: ViewerFact): FactRow['row'] {
  const left = value.type === 'ViewerLeft';
  return {
    at: value.at_ms,
    type: value.type,
    stream_id: value.stream_id,
    owner_id: value.owner_id,
    session_id: value.session_id,
    playback_id: value.playback_id,
    instance_id: value.instance_id,
    joined_at: value.joined_at_ms,
    viewer_hash: value.viewer_hash,
    country: value.country ?? 'unknown',
    device: value.device,
    player: value.player === '' ? 'unknown' : value.player,
    resumed: left ? false : value.resumed,
    reason: left ? value.reason : '',
    counted_ms: left ? natural(value.counted_ms) : 0,
  };
}

function beaconRow(value: Beacon): FactRow['row'] {
  return {
    at: value.at_ms,
    stream_id: value.stream_id,
    owner_id: value.owner_id,
    session_id: value.session_id,
    instance_id: value.instance_id,
    version: value.version,
    mode: value.mode,
    event: value.event ?? '',
    state: value.state ?? '',
    startup_ms: optional(value.startup_ms),
    starved_count: optional(value.starved_count),
    starved_total_ms: optional(value.starved_total_ms),
    starved_ms: optional(value.starved_ms),
    starved: value.starved ?? false,
    latency_ms: optional(value.latency_ms),
    dropped_frames: optional(value.dropped_frames),
    bitrate_kbps: optional(value.bitrate_kbps),
    playhead_kbps: optional(value.playhead_kbps),
    top_kbps: optional(value.top_kbps),
    buffer_ms: optional(value.buffer_ms),
    throughput_kbps: optional(value.throughput_kbps),
    object_type: value.object_type ?? '',
    playback_rate: value.playback_rate ?? null,
    error_codes: value.error_codes?.map(wellFormed) ?? [],
    sequence: optional(value.sequence),
    player_session: wellFormed(value.player_session ?? ''),
  };
}

function audienceRow(value: AudienceCount): FactRow['row'] {
  return {
    at: value.at_ms,
    stream_id: value.stream_id,
    instance_id: value.instance_id,
    incarnation: value.incarnation,
    viewers: natural(value.viewers),
  };
}

const most = 0xffff_ffff;

/** As the UInt32 columns take it: a row that ClickHouse refused would stop its whole batch for ever. */
function natural(value: number): number {
  return Math.min(most, Math.max(0, Math.trunc(value)));
}

function optional(value: number | undefined): number | null {
  return value === undefined ? null : natural(value);
}

/** Free text without lone surrogates, which ClickHouse's JSON does not take. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

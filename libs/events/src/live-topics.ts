import { z } from 'zod';
import { dayMs, defineTopic } from './topic.ts';

const instanceSeen = z.object({
  instance_id: z.string(),
  /** Rises with every start of the instance. */
  incarnation: z.int(),
  service: z.string(),
  at_ms: z.int(),
});
export type InstanceSeen = z.infer<typeof instanceSeen>;

/** Who is alive: every service says so every 2 s. */
export const instancesTopic = defineTopic<InstanceSeen>({
  name: 'live.instances.v1',
  kind: 'state',
  schema: instanceSeen,
  key: (value) => value.instance_id,
  retentionMs: dayMs,
  doc: 'Sign of life of every service instance, every 2 s.',
});

const common = {
  stream_id: z.string(),
  owner_id: z.string(),
  /** Fence of the source; a fact with a lower epoch than one already seen is stale. */
  epoch: z.int(),
  publish_id: z.string(),
  instance_id: z.string(),
  at_ms: z.int(),
};
export const streamEndReasons = [
  'encoder-stopped',
  'reconnect-window-passed',
  'key-revoked',
  'stream-deleted',
  'superseded',
  'protocol-error',
  'timed-out',
  'draining',
  'instance-lost',
] as const;
export type StreamEndReason = (typeof streamEndReasons)[number];

const liveStreamFact = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('StreamPublished'), key_id: z.string(), encoder: z.string().optional() }),
  z.object({ ...common, type: z.literal('StreamInterrupted'), reason: z.string(), window_ms: z.int() }),
  z.object({ ...common, type: z.literal('StreamResumed'), key_id: z.string(), encoder: z.string().optional() }),
  z.object({ ...common, type: z.literal('StreamEnded'), reason: z.enum(streamEndReasons) }),
]);
export type LiveStreamFact = z.infer<typeof liveStreamFact>;

/** The life of each broadcast: published, interrupted, resumed, ended. */
export const liveStreamsTopic = defineTopic<LiveStreamFact>({
  name: 'live.streams.v1',
  kind: 'facts',
  schema: liveStreamFact,
  key: (value) => value.stream_id,
  retentionMs: 30 * dayMs,
  doc: 'Publish life cycle, written by ingest (by control for lost instances).',
});

const renditionFact = z.object({
  type: z.literal('RenditionStarted'),
  stream_id: z.string(),
  epoch: z.int(),
  instance_id: z.string(),
  at_ms: z.int(),
  rendition: z.string(),
  kind: z.enum(['video', 'audio']),
  codecs: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  frame_rate: z.number().optional(),
  sample_rate: z.int().optional(),
  channels: z.int().optional(),
});
export type RenditionFact = z.infer<typeof renditionFact>;

/** What each broadcast is made of. */
export const renditionsTopic = defineTopic<RenditionFact>({
  name: 'live.renditions.v1',
  kind: 'facts',
  schema: renditionFact,
  key: (value) => value.stream_id,
  retentionMs: 7 * dayMs,
  doc: 'Renditions of a live stream as their packaging starts or changes, written by transcode.',
});

const ingestWarning = z.object({ code: z.string(), message: z.string() });
const healthSample = z.object({
  stream_id: z.string(),
  epoch: z.int(),
  at_ms: z.int(),
  state: z.enum(['live', 'interrupted']),
  video_bps: z.number(),
  audio_bps: z.number(),
  frames_per_second: z.number(),
  /** Absent until two keyframes were seen. */
  keyframe_interval_s: z.number().optional(),
  /** Audio time minus video time at the same arrival, ms; absent unless both tracks are there. */
  av_drift_ms: z.number().optional(),
  timestamp_gaps: z.int(),
  video_codec: z.string().optional(),
  audio_codec: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  warnings: z.array(ingestWarning),
});
export type HealthSample = z.infer<typeof healthSample>;

/** What the encoder sends, once a second. */
export const healthTopic = defineTopic<HealthSample>({
  name: 'live.health.v1',
  kind: 'samples',
  schema: healthSample,
  key: (value) => value.stream_id,
  retentionMs: dayMs,
  doc: 'Ingest health, one sample a second and stream, written by ingest.',
});

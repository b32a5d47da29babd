/**
 * What the hub and its clients say to each other: one JSON object a text frame. The same schemas check what comes in, type both
 * ends, and are printed as the AsyncAPI document. Counts and health are conflated (the newest value wins, at most twice a second);
 * states come all and in order.
 */
import { z } from 'zod';
import { stepStatusSchema } from './job.ts';
import { timeSchema } from './page.ts';
import { healthSchema, liveStateSchema } from './stream.ts';

export type Channel = 'streams' | 'jobs' | `stream:${string}` | `job:${string}`;
/** `streams`, `stream:{stream or playback id}`, `jobs`, `job:{id}`. The pattern is what makes a text a Channel. */
export const channelSchema = z
  .string()
  .regex(/^(streams|jobs|stream:[A-Za-z0-9_-]{1,64}|job:[A-Za-z0-9_-]{1,64})$/) as unknown as z.ZodType<
  Channel,
  string
>;

/**
 * Where a client stands in a channel. `epoch` changes when the history is lost; `offset` is opaque, made of positions in the event
 * log, so any hub instance can read it.
 */
export const channelPositionSchema = z.object({ epoch: z.string().max(64), offset: z.string().max(256) });
export type ChannelPosition = z.infer<typeof channelPositionSchema>;

export const hubRequestSchema = z.discriminatedUnion('op', [
  /** An API token; channels subscribed from now on are seen with its role. */
  z.object({ op: z.literal('authenticate'), token: z.string().max(4096) }),
  z.object({
    op: z.literal('subscribe'),
    channel: channelSchema,
    /** From an earlier connection: what was missed comes as deltas, if it is still known. */
    after: channelPositionSchema.optional(),
    /** Playback token of a private stream, for who has no API token. */
    token: z.string().max(4096).optional(),
  }),
  z.object({ op: z.literal('unsubscribe'), channel: channelSchema }),
  z.object({ op: z.literal('ping') }),
]);
export type HubRequest = z.infer<typeof hubRequestSchema>;

/** A stream as the hub shows it. Owners and admins also see `owner_id` and `health`. */
export const hubStreamSchema = z.object({
  stream_id: z.string(),
  playback_id: z.string(),
  title: z.string(),
  visibility: z.enum(['public', 'private']),
  state: liveStateSchema,
  live_since: timeSchema.nullable(),
  viewers: z.int(),
  owner_id: z.string().optional(),
  health: healthSchema.nullable().optional(),
});
export type HubStream = z.infer<typeof hubStreamSchema>;

export const hubJobSchema = z.object({
  job_id: z.string(),
  owner_id: z.string(),
  kind: z.string(),
  subject: z.string(),
  status: z.enum(['pending', 'processing', 'completed', 'failed', 'cancelled']),
  progress: z.number(),
  phase: z.string().nullable(),
  eta_ms: z.int().nullable(),
  error: z.string().nullable(),
  /** Null until the first report; weights sum to 100. */
  steps: z
    .array(z.object({ name: z.string(), weight: z.number(), status: stepStatusSchema, progress: z.number() }))
    .nullable(),
  /** Of kind `import` only: what has come of the whole; `total` null: its server does not say. */
  bytes: z.object({ received: z.int(), total: z.int().nullable() }).optional(),
  updated_at: timeSchema,
});
export type HubJob = z.infer<typeof hubJobSchema>;

/** One change of one entity. `counted` and `measured` are conflated, the others ordered. */
export const hubChangeSchema = z.discriminatedUnion('kind', [
  /** The stream is new in this channel or its definition or state changed; the whole of it. */
  z.object({ kind: z.literal('stream'), stream: hubStreamSchema }),
  z.object({ kind: z.literal('stream-removed'), stream_id: z.string() }),
  z.object({ kind: z.literal('counted'), stream_id: z.string(), viewers: z.int() }),
  z.object({ kind: z.literal('measured'), stream_id: z.string(), health: healthSchema.nullable() }),
  z.object({ kind: z.literal('job'), job: hubJobSchema }),
]);
export type HubChange = z.infer<typeof hubChangeSchema>;

export const hubCloseReasons = ['forbidden', 'gone', 'token-expired', 'too-many', 'slow'] as const;

export const hubMessageSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('hello'), protocol: z.literal(1), instance: z.string(), ping_ms: z.int() }),
  z.object({ op: z.literal('authenticated'), role: z.string(), expires_at: timeSchema }),
  /** All that the channel shows, as of `position`; replaces what the client knew. */
  z.object({
    op: z.literal('snapshot'),
    channel: channelSchema,
    position: channelPositionSchema,
    streams: z.array(hubStreamSchema).optional(),
    jobs: z.array(hubJobSchema).optional(),
  }),
  /** The client's position was known: what it missed, before anything new. */
  z.object({
    op: z.literal('recovered'),
    channel: channelSchema,
    position: channelPositionSchema,
    changes: z.array(hubChangeSchema),
  }),
  z.object({
    op: z.literal('delta'),
    channel: channelSchema,
    /** Absent on conflated changes: they do not move the position. */
    position: channelPositionSchema.optional(),
    changes: z.array(hubChangeSchema),
  }),
  z.object({
    op: z.literal('unsubscribed'),
    channel: channelSchema,
    reason: z.enum(hubCloseReasons),
    detail: z.string(),
  }),
  z.object({ op: z.literal('refused'), code: z.string(), detail: z.string(), channel: channelSchema.optional() }),
  /** This instance is about to stop: re-connect after `after_ms` (each client is told another time). */
  z.object({ op: z.literal('reconnect'), after_ms: z.int() }),
  z.object({ op: z.literal('pong') }),
]);
export type HubMessage = z.infer<typeof hubMessageSchema>;

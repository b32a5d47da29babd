import { z } from 'zod';
import { dayMs, defineTopic } from './topic.ts';

export const deviceKinds = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'bot', 'unknown'] as const;
export type DeviceKind = (typeof deviceKinds)[number];

const viewer = {
  session_id: z.string(),
  stream_id: z.string(),
  playback_id: z.string(),
  owner_id: z.string(),
  /** The delivery instance that counts the session. */
  instance_id: z.string(),
  at_ms: z.int(),
  /** When the viewer began, whichever instance he began at. */
  joined_at_ms: z.int(),
  /** Hash of address and user agent with a salt of the day: equal for one viewer within a day, worthless afterwards. */
  viewer_hash: z.string(),
  /** ISO 3166-1 alpha-2; absent when it is not known. */
  country: z.string().optional(),
  device: z.enum(deviceKinds),
  /** Family name from the user agent or from what the player says of itself: `chrome`, `safari`, `vlc`... */
  player: z.string(),
};
/**
 * `moved`: another instance counts the session from now on; the viewer has not left. `evicted`: the instance died while it
 * counted him, and says so after its next start; another may count him by then.
 */
export const viewerLeaveReasons = ['silent', 'quit', 'stream-ended', 'draining', 'evicted', 'moved'] as const;
export type ViewerLeaveReason = (typeof viewerLeaveReasons)[number];

const viewerFact = z.discriminatedUnion('type', [
  z.object({
    ...viewer,
    type: z.literal('ViewerJoined'),
    /** The session was counted by another instance before (or by this one, before a silence). */
    resumed: z.boolean(),
  }),
  z.object({
    ...viewer,
    type: z.literal('ViewerLeft'),
    reason: z.enum(viewerLeaveReasons),
    /** Time this instance counted the session for, from its ViewerJoined to the viewer's last sign of life, ms. */
    counted_ms: z.int(),
  }),
]);
export type ViewerFact = z.infer<typeof viewerFact>;

/** Who watches what: one pair of facts for each stretch that an instance counted a session. */
export const viewerSessionsTopic = defineTopic<ViewerFact>({
  name: 'playback.sessions.v1',
  kind: 'facts',
  schema: viewerFact,
  key: (value) => value.session_id,
  retentionMs: 7 * dayMs,
  doc: 'Viewers joining and leaving, written by delivery.',
});

/** Play states of CMCD v2 (`sta`): starting, playing, seeking, rebuffering, paused, waiting, ended, fatal, quit, preload. */
export const playStates = ['s', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd'] as const;
export type PlayState = (typeof playStates)[number];

const beacon = z.object({
  type: z.literal('BeaconReceived'),
  session_id: z.string(),
  stream_id: z.string(),
  owner_id: z.string(),
  instance_id: z.string(),
  /** When it came in, or the report's own `ts` where that is within a minute of it. */
  at_ms: z.int(),
  version: z.union([z.literal(1), z.literal(2)]),
  mode: z.enum(['query', 'headers', 'event']),
  /** CMCD v2 event (`e`): `ps`, `t`, `e`, `rr`...; absent on requests. */
  event: z.string().max(4).optional(),
  state: z.enum(playStates).optional(),
  /** Media start delay (`msd`): from the intent to play to the first frame, ms. */
  startup_ms: z.int().optional(),
  /** Buffer starvation: how often (`bsa`) and for how long in all (`bsda`), ms, since the session began. */
  starved_count: z.int().optional(),
  starved_total_ms: z.int().optional(),
  /** Length of the starvation that just ended (`bsd`), ms. v1's `bs` flag alone gives `starved`. */
  starved_ms: z.int().optional(),
  starved: z.boolean().optional(),
  /** Latency behind the live edge (`ltc`), ms. */
  latency_ms: z.int().optional(),
  dropped_frames: z.int().optional(),
  /** Encoded bitrate of the object asked for (`br`), the playhead's (`pb`) and the top one (`tb`), kbit/s. */
  bitrate_kbps: z.int().optional(),
  playhead_kbps: z.int().optional(),
  top_kbps: z.int().optional(),
  /** Buffer length (`bl`) and measured throughput (`mtp`), ms and kbit/s. */
  buffer_ms: z.int().optional(),
  throughput_kbps: z.int().optional(),
  /** Object type (`ot`): v, a, av, m, i... */
  object_type: z.string().max(3).optional(),
  playback_rate: z.number().optional(),
  /** Error codes of the player (`ec`), at most 4. */
  error_codes: z.array(z.string().max(64)).max(4).optional(),
  /** Sequence number of the report for its target (`sn`). */
  sequence: z.int().optional(),
  /** The player's own session id (`sid`): may differ from ours, which is in the path. */
  player_session: z.string().max(64).optional(),
});
export type Beacon = z.infer<typeof beacon>;

/** What players say of themselves: CMCD on requests and in event batches. */
export const beaconsTopic = defineTopic<Beacon>({
  name: 'playback.beacons.v1',
  kind: 'samples',
  schema: beacon,
  key: (value) => value.session_id,
  retentionMs: 7 * dayMs,
  doc: 'CMCD reports of players, validated and bounded, written by delivery.',
});

const audience = z.object({
  type: z.literal('AudienceCounted'),
  stream_id: z.string(),
  instance_id: z.string(),
  /** Incarnation of the instance; an older one's count is void. */
  incarnation: z.int(),
  viewers: z.int(),
  at_ms: z.int(),
});
export type AudienceCount = z.infer<typeof audience>;

/**
 * Viewers of a stream at one delivery instance, on change, at most once a second. The audience of a stream is the sum over the
 * instances that live.instances.v1 saw within 6 s.
 */
export const audienceTopic = defineTopic<AudienceCount>({
  name: 'playback.audience.v1',
  kind: 'state',
  schema: audience,
  key: (value) => `${value.stream_id}/${value.instance_id}`,
  retentionMs: dayMs,
  doc: 'Viewers by stream and delivery instance, written by delivery.',
});

/**
 * The resources of /api/v1 as the studio reads them. Each has a reader that checks what came over the wire, so that a
 * server of another version gives a clear error instead of a broken page. Fields that the studio does not use are left out.
 */
import { choice, integer, list, nullable, number, object, optional, type Read, text } from './wire.ts';

const visibilities = ['public', 'private'] as const;
const latencyModes = ['low', 'standard'] as const;
export const streamStates = ['idle', 'live', 'interrupted'] as const;
export const roles = ['admin', 'broadcaster', 'analyst', 'viewer'] as const;
export type Visibility = (typeof visibilities)[number];
export type LatencyMode = (typeof latencyModes)[number];
export type StreamState = (typeof streamStates)[number];
export type Role = (typeof roles)[number];

const streamFields = {
  id: text,
  playback_id: text,
  owner_id: text,
  title: text,
  visibility: choice(visibilities),
  latency_mode: choice(latencyModes),
  created_at: text,
  updated_at: text,
};

export const readHealth = object({
  at_ms: integer,
  state: choice(['live', 'interrupted'] as const),
  video_bps: number,
  audio_bps: number,
  frames_per_second: number,
  keyframe_interval_s: optional(number),
  av_drift_ms: optional(number),
  timestamp_gaps: integer,
  video_codec: optional(text),
  audio_codec: optional(text),
  width: optional(integer),
  height: optional(integer),
  warnings: list(object({ code: text, message: text })),
});
export type Health = Read<typeof readHealth>;

/** In a list `state` may be left out. */
export const readStream = object({ ...streamFields, state: optional(choice(streamStates)) });
export type Stream = Read<typeof readStream>;

export const readStreamDetail = object({
  ...streamFields,
  state: choice(streamStates),
  live_since: nullable(text),
  health: nullable(readHealth),
  playback: object({ hls_url: nullable(text), watch_url: text }),
  ingest: object({ rtmp_url: text, rtmps_url: nullable(text) }),
});
export type StreamDetail = Read<typeof readStreamDetail>;

export const readStreamPage = object({ items: list(readStream), next_cursor: nullable(text) });
export type StreamPage = Read<typeof readStreamPage>;

export interface StreamDraft {
  readonly title: string;
  readonly visibility: Visibility;
  readonly latency_mode: LatencyMode;
}

const keyFields = {
  id: text,
  label: text,
  last4: text,
  created_at: text,
  last_used_at: nullable(text),
  expires_at: nullable(text),
  revoked_at: nullable(text),
};
export const readKeys = object({ items: list(object(keyFields)) });
export type StreamKey = Read<typeof readKeys>['items'][number];
/** The only answer that carries the key itself. */
export const readNewKey = object({ ...keyFields, key: text });
export type NewStreamKey = Read<typeof readNewKey>;

export const readPlaybackToken = object({ token: text, expires_at: text, hls_url: text, watch_url: text });
export type PlaybackToken = Read<typeof readPlaybackToken>;

const tokenFields = {
  id: text,
  label: text,
  role: choice(roles),
  created_at: text,
  expires_at: text,
  revoked_at: nullable(text),
};
export const readTokens = object({ items: list(object(tokenFields)) });
export type ApiToken = Read<typeof readTokens>['items'][number];
export const readNewToken = object({ ...tokenFields, token: text });
export type NewApiToken = Read<typeof readNewToken>;

export const readSignIn = object({ token: text, expires_at: text, role: choice(roles), owner_id: text });
export type SignIn = Read<typeof readSignIn>;

export const readMe = object({ owner_id: text, role: choice(roles), expires_at: text });
export type Me = Read<typeof readMe>;

export const readWatchInfo = object({
  playback_id: text,
  title: text,
  state: choice(streamStates),
  latency_mode: choice(latencyModes),
  visibility: choice(visibilities),
  hls_url: text,
});
export type WatchInfo = Read<typeof readWatchInfo>;

import type { Stream, StreamDetail, StreamKey } from '@millrace/api';
import type { LiveRecord } from '@millrace/events';
import { optionalTime, time } from '@millrace/http';
import { hlsUrl, watchUrl } from '../core/addresses.ts';
import type { StreamRecord } from '../core/stream.ts';
import type { KeyRecord } from '../core/stream-key.ts';
import type { RouteDeps } from './api-context.ts';

/** A stream as lists show it. */
export function showStream(stream: StreamRecord): Stream {
  return {
    id: stream.streamId,
    playback_id: stream.playbackId,
    owner_id: stream.ownerId,
    title: stream.title,
    visibility: stream.visibility,
    latency_mode: stream.latencyMode,
    created_at: time(stream.createdAtMs),
    updated_at: time(stream.updatedAtMs),
  };
}

/** A stream with its live state, health and URLs. */
export function showStreamDetail(
  deps: Pick<RouteDeps, 'addresses' | 'health'>,
  stream: StreamRecord,
  live: LiveRecord | undefined,
): StreamDetail {
  const at = deps.addresses();
  const running = live !== undefined && live.state !== 'idle' ? live : undefined;
  return {
    ...showStream(stream),
    state: live?.state ?? 'idle',
    live_since: optionalTime(running?.liveSinceMs),
    health: (running && deps.health(stream.streamId, running.epoch)) ?? null,
    playback: {
      hls_url: stream.visibility === 'public' ? hlsUrl(at, stream.playbackId) : null,
      watch_url: watchUrl(at, stream.playbackId),
    },
    ingest: { rtmp_url: at.rtmpUrl, rtmps_url: at.rtmpsUrl },
  };
}

/** A stream key without the key. */
export function showKey(key: KeyRecord): StreamKey {
  return {
    id: key.keyId,
    label: key.label,
    last4: key.last4,
    created_at: time(key.createdAtMs),
    last_used_at: optionalTime(key.lastUsedAtMs),
    expires_at: optionalTime(key.expiresAtMs),
    revoked_at: optionalTime(key.revokedAtMs),
  };
}

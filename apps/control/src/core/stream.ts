import type { LatencyMode, StreamDefinition, Visibility } from '@millrace/events';

/** A stream as it is stored. Times are ms since 1970; `revision` rises with every change. */
export interface StreamRecord {
  readonly streamId: string;
  readonly playbackId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly latencyMode: LatencyMode;
  readonly revision: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a PATCH may change; absent means unchanged. */
export interface StreamChange {
  readonly title?: string | undefined;
  readonly visibility?: Visibility | undefined;
  readonly latency_mode?: LatencyMode | undefined;
}

/** The stream after `change`. */
export function changeStream(stream: StreamRecord, change: StreamChange, nowMs: number): StreamRecord {
  return {
    ...stream,
    title: change.title ?? stream.title,
    visibility: change.visibility ?? stream.visibility,
    latencyMode: change.latency_mode ?? stream.latencyMode,
    revision: stream.revision + 1,
    updatedAtMs: Math.max(nowMs, stream.updatedAtMs),
  };
}

/** Entity tag of the definition (RFC 9110 8.8.3). */
export function streamTag(stream: StreamRecord): string {
  return `"r${stream.revision}"`;
}

/** Whether an If-Match header admits a change of the stream: absent, `*`, or its tag in the list. */
export function matchesTag(header: string | undefined, stream: StreamRecord): boolean {
  if (header === undefined) return true;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim() === streamTag(stream));
}

/** The whole state that other services read. */
export function definitionOf(stream: StreamRecord): StreamDefinition {
  return {
    stream_id: stream.streamId,
    playback_id: stream.playbackId,
    owner_id: stream.ownerId,
    title: stream.title,
    visibility: stream.visibility,
    latency_mode: stream.latencyMode,
    created_at_ms: stream.createdAtMs,
    updated_at_ms: stream.updatedAtMs,
  };
}

import type { LatencyMode, Visibility } from '@millrace/events';
import type { StreamRows } from '../core/store.ts';
import type { StreamRecord } from '../core/stream.ts';
import { ms, type Queryable } from './row-mapping.ts';

interface Row {
  readonly stream_id: string;
  readonly playback_id: string;
  readonly owner_id: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly latency_mode: LatencyMode;
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** Table control.streams. */
export function createStreamRows(sql: Queryable): StreamRows {
  return {
    async insert(stream) {
      await sql`
        INSERT INTO control.streams
          (stream_id, playback_id, owner_id, title, visibility, latency_mode, revision, created_at, updated_at)
        VALUES (${stream.streamId}, ${stream.playbackId}, ${stream.ownerId}, ${stream.title}, ${stream.visibility},
          ${stream.latencyMode}, ${stream.revision}, ${new Date(stream.createdAtMs)}, ${new Date(stream.updatedAtMs)})`;
    },
    async get(streamId) {
      return first(await sql<Row[]>`SELECT * FROM control.streams WHERE stream_id = ${streamId}`);
    },
    async byPlaybackId(playbackId) {
      return first(await sql<Row[]>`SELECT * FROM control.streams WHERE playback_id = ${playbackId}`);
    },
    async lock(streamId) {
      return first(await sql<Row[]>`SELECT * FROM control.streams WHERE stream_id = ${streamId} FOR UPDATE`);
    },
    async save(stream) {
      await sql`
        UPDATE control.streams SET title = ${stream.title}, visibility = ${stream.visibility},
          latency_mode = ${stream.latencyMode}, revision = ${stream.revision},
          updated_at = ${new Date(stream.updatedAtMs)}
        WHERE stream_id = ${stream.streamId}`;
    },
    async remove(streamId) {
      await sql`DELETE FROM control.streams WHERE stream_id = ${streamId}`;
    },
    async list(ownerId, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.streams
        WHERE ${ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}`}
          AND ${before === undefined ? sql`true` : sql`stream_id < ${before}`}
        ORDER BY stream_id DESC LIMIT ${limit}`;
      return rows.map(toRecord);
    },
    async count(ownerId) {
      const rows = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM control.streams WHERE owner_id = ${ownerId}`;
      return rows[0]?.n ?? 0;
    },
  };
}

function first(rows: readonly Row[]): StreamRecord | undefined {
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

function toRecord(row: Row): StreamRecord {
  return {
    streamId: row.stream_id,
    playbackId: row.playback_id,
    ownerId: row.owner_id,
    title: row.title,
    visibility: row.visibility,
    latencyMode: row.latency_mode,
    revision: row.revision,
    createdAtMs: ms(row.created_at),
    updatedAtMs: ms(row.updated_at),
  };
}

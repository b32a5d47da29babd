import type { UploadPart, UploadRecord, UploadState } from '../core/upload.ts';
import type { UploadRows } from '../core/upload-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly upload_id: string;
  readonly video_id: string;
  readonly owner_id: string;
  readonly size_bytes: bigint;
  readonly received_bytes: bigint;
  readonly state: UploadState;
  readonly metadata: Readonly<Record<string, string | null>>;
  readonly tries: number;
  readonly created_at: Date;
  readonly expires_at: Date;
}

interface PartRow {
  readonly start_byte: bigint;
  readonly size_bytes: bigint;
  readonly key: string;
}

/** Tables progress.uploads and progress.upload_parts. */
export function createUploadRows(sql: Queryable): UploadRows {
  return {
    async takeTurn(ownerId) {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`progress-bytes-${ownerId}`}, 0))`;
    },
    async insert(upload) {
      await sql`
        INSERT INTO progress.uploads (upload_id, video_id, owner_id, size_bytes, received_bytes, state, metadata,
          tries, try_at, created_at, expires_at)
        VALUES (${upload.uploadId}, ${upload.videoId}, ${upload.ownerId}, ${upload.sizeBytes}, ${upload.receivedBytes},
          ${upload.state}, ${sql.json({ ...upload.metadata })}, ${upload.tries}, ${new Date(upload.createdAtMs)},
          ${new Date(upload.createdAtMs)}, ${new Date(upload.expiresAtMs)})`;
    },
    async get(uploadId) {
      return first(await sql<Row[]>`SELECT * FROM progress.uploads WHERE upload_id = ${uploadId}`);
    },
    async known(uploadIds) {
      const rows = await sql<{ upload_id: string }[]>`
        SELECT upload_id FROM progress.uploads WHERE upload_id = ANY(${[...uploadIds]}::text[])`;
      return rows.map((row) => row.upload_id);
    },
    async lock(uploadId) {
      return first(await sql<Row[]>`SELECT * FROM progress.uploads WHERE upload_id = ${uploadId} FOR UPDATE`);
    },
    async ofVideo(videoId) {
      const rows = await sql<Row[]>`SELECT * FROM progress.uploads WHERE video_id = ${videoId}`;
      return rows.map(toRecord);
    },
    async open(ownerId) {
      const rows = await sql<{ bytes: bigint; uploads: number }[]>`
        SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes, count(*)::int AS uploads FROM progress.uploads
        WHERE owner_id = ${ownerId} AND state IN ('receiving', 'joining')`;
      return { bytes: Number(rows[0]?.bytes ?? 0n), uploads: rows[0]?.uploads ?? 0 };
    },
    async parts(uploadId) {
      const rows = await sql<PartRow[]>`
        SELECT start_byte, size_bytes, key FROM progress.upload_parts
        WHERE upload_id = ${uploadId} ORDER BY start_byte`;
      return rows.map(toPart);
    },
    async lastPart(uploadId) {
      const rows = await sql<PartRow[]>`
        SELECT start_byte, size_bytes, key FROM progress.upload_parts
        WHERE upload_id = ${uploadId} ORDER BY start_byte DESC LIMIT 1`;
      return rows[0] === undefined ? undefined : toPart(rows[0]);
    },
    async addParts(uploadId, token, received, parts, expiresAtMs, nowMs) {
      const begin = parts[0]?.startByte ?? received;
      const end = begin + parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const rows = parts.map((part) => ({ start_byte: part.startByte, size_bytes: part.sizeBytes, key: part.key }));
      const moved = await sql`
        WITH held AS (
          SELECT 1 FROM progress.upload_locks WHERE upload_id = ${uploadId} AND token = ${token} FOR SHARE
        ), moved AS (
          UPDATE progress.uploads SET received_bytes = ${end}, expires_at = ${new Date(expiresAtMs)},
            try_at = ${new Date(nowMs)}, state = CASE WHEN size_bytes = ${end} THEN 'joining' ELSE state END
          WHERE upload_id = ${uploadId} AND state = 'receiving' AND received_bytes = ${received}
            AND EXISTS (SELECT 1 FROM held)
          RETURNING upload_id
        ), gone AS (
          DELETE FROM progress.upload_parts p USING moved
          WHERE p.upload_id = moved.upload_id AND p.start_byte >= ${begin}
            AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(${sql.json(rows)}) AS n(start_byte bigint)
              WHERE n.start_byte = p.start_byte)
        )
        INSERT INTO progress.upload_parts (upload_id, start_byte, size_bytes, key)
        SELECT moved.upload_id, n.start_byte, n.size_bytes, n.key
        FROM moved, jsonb_to_recordset(${sql.json(rows)}) AS n(start_byte bigint, size_bytes bigint, key text)
        ON CONFLICT (upload_id, start_byte) DO UPDATE SET size_bytes = excluded.size_bytes, key = excluded.key
        RETURNING upload_id`;
      return moved.length > 0;
    },
    async takeJoin(nowMs, nextTryAtMs) {
      const rows = await sql<Row[]>`
        UPDATE progress.uploads SET tries = tries + 1, try_at = ${new Date(nextTryAtMs)}
        WHERE upload_id = (
          SELECT upload_id FROM progress.uploads WHERE state = 'joining' AND try_at <= ${new Date(nowMs)}
          ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *`;
      return first(rows);
    },
    async joinGoesOn(uploadId, nextTryAtMs) {
      await sql`
        UPDATE progress.uploads SET try_at = ${new Date(nextTryAtMs)}
        WHERE upload_id = ${uploadId} AND state = 'joining'`;
    },
    async finish(uploadId, state, expiresAtMs) {
      await sql`DELETE FROM progress.upload_parts WHERE upload_id = ${uploadId}`;
      await sql`
        UPDATE progress.uploads SET state = ${state}, expires_at = ${new Date(expiresAtMs)}
        WHERE upload_id = ${uploadId}`;
    },
    async remove(uploadId) {
      await sql`DELETE FROM progress.uploads WHERE upload_id = ${uploadId}`;
    },
    async expired(nowMs, limit) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.uploads u WHERE expires_at <= ${new Date(nowMs)} AND state <> 'joining'
          AND NOT EXISTS (SELECT 1 FROM progress.upload_locks l
            WHERE l.upload_id = u.upload_id AND l.until > clock_timestamp())
        ORDER BY expires_at LIMIT ${limit}`;
      return rows.map(toRecord);
    },
  };
}

function first(rows: readonly Row[]): UploadRecord | undefined {
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

function toRecord(row: Row): UploadRecord {
  return {
    uploadId: row.upload_id,
    videoId: row.video_id,
    ownerId: row.owner_id,
    sizeBytes: Number(row.size_bytes),
    receivedBytes: Number(row.received_bytes),
    state: row.state,
    metadata: row.metadata,
    tries: row.tries,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
  };
}

function toPart(row: PartRow): UploadPart {
  return { startByte: Number(row.start_byte), sizeBytes: Number(row.size_bytes), key: row.key };
}

import type { KeyRows } from '../core/store.ts';
import type { KeyRecord } from '../core/stream-key.ts';
import { ms, optionalDate, optionalMs, type Queryable } from './row-mapping.ts';

interface Row {
  readonly key_id: string;
  readonly stream_id: string;
  readonly owner_id: string;
  readonly key_sha256: string;
  readonly last4: string;
  readonly label: string;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** Table control.stream_keys. */
export function createKeyRows(sql: Queryable): KeyRows {
  return {
    async insert(key) {
      await sql`
        INSERT INTO control.stream_keys
          (key_id, stream_id, owner_id, key_sha256, last4, label, created_at, last_used_at, expires_at, revoked_at)
        VALUES (${key.keyId}, ${key.streamId}, ${key.ownerId}, ${key.sha256}, ${key.last4}, ${key.label},
          ${new Date(key.createdAtMs)}, ${optionalDate(key.lastUsedAtMs)}, ${optionalDate(key.expiresAtMs)},
          ${optionalDate(key.revokedAtMs)})`;
    },
    async lock(streamId, keyId) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.stream_keys WHERE key_id = ${keyId} AND stream_id = ${streamId} FOR UPDATE`;
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    async lockAllOf(streamId) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.stream_keys WHERE stream_id = ${streamId} ORDER BY key_id FOR UPDATE`;
      return rows.map(toRecord);
    },
    async save(key) {
      await sql`
        UPDATE control.stream_keys SET label = ${key.label}, expires_at = ${optionalDate(key.expiresAtMs)},
          revoked_at = ${optionalDate(key.revokedAtMs)}
        WHERE key_id = ${key.keyId}`;
    },
    async list(streamId, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.stream_keys
        WHERE stream_id = ${streamId} AND ${before === undefined ? sql`true` : sql`key_id < ${before}`}
        ORDER BY key_id DESC LIMIT ${limit}`;
      return rows.map(toRecord);
    },
    async count(streamId) {
      const rows = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM control.stream_keys WHERE stream_id = ${streamId}`;
      return rows[0]?.n ?? 0;
    },
    async touch(keyId, atMs) {
      const at = new Date(atMs);
      await sql`
        UPDATE control.stream_keys SET last_used_at = ${at}
        WHERE key_id = ${keyId} AND (last_used_at IS NULL OR last_used_at < ${at})`;
    },
    async sweep(endedBeforeMs, limit) {
      const before = new Date(endedBeforeMs);
      const rows = await sql<{ key_id: string }[]>`
        DELETE FROM control.stream_keys WHERE key_id IN (
          SELECT key_id FROM control.stream_keys
          WHERE (expires_at IS NOT NULL OR revoked_at IS NOT NULL) AND least(expires_at, revoked_at) < ${before}
          ORDER BY key_id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING key_id`;
      return rows.map((row) => row.key_id);
    },
  };
}

function toRecord(row: Row): KeyRecord {
  return {
    keyId: row.key_id,
    streamId: row.stream_id,
    ownerId: row.owner_id,
    sha256: row.key_sha256,
    last4: row.last4,
    label: row.label,
    createdAtMs: ms(row.created_at),
    lastUsedAtMs: optionalMs(row.last_used_at),
    expiresAtMs: optionalMs(row.expires_at),
    revokedAtMs: optionalMs(row.revoked_at),
  };
}

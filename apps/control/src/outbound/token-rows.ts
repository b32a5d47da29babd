import type { Role } from '@millrace/auth';
import type { TokenRecord, TokenRows } from '../core/store.ts';
import { ms, optionalDate, optionalMs, type Queryable } from './row-mapping.ts';

interface Row {
  readonly jti: string;
  readonly owner_id: string;
  readonly role: Role;
  readonly label: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
}

/** Table control.api_tokens. */
export function createTokenRows(sql: Queryable): TokenRows {
  return {
    async insert(token) {
      await sql`
        INSERT INTO control.api_tokens (jti, owner_id, role, label, created_at, expires_at, revoked_at)
        VALUES (${token.jti}, ${token.ownerId}, ${token.role}, ${token.label}, ${new Date(token.createdAtMs)},
          ${new Date(token.expiresAtMs)}, ${optionalDate(token.revokedAtMs)})`;
    },
    async lock(jti) {
      const rows = await sql<Row[]>`SELECT * FROM control.api_tokens WHERE jti = ${jti} FOR UPDATE`;
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    async save(token) {
      await sql`
        UPDATE control.api_tokens SET label = ${token.label}, revoked_at = ${optionalDate(token.revokedAtMs)}
        WHERE jti = ${token.jti}`;
    },
    async list(ownerId, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.api_tokens
        WHERE ${ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}`}
          AND ${before === undefined ? sql`true` : sql`jti < ${before}`}
        ORDER BY jti DESC LIMIT ${limit}`;
      return rows.map(toRecord);
    },
    async countUsable(ownerId, nowMs) {
      const rows = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM control.api_tokens
        WHERE owner_id = ${ownerId} AND revoked_at IS NULL AND expires_at > ${new Date(nowMs)}`;
      return rows[0]?.n ?? 0;
    },
    async sweep(expiredBeforeMs, limit) {
      const rows = await sql<Row[]>`
        DELETE FROM control.api_tokens WHERE jti IN (
          SELECT jti FROM control.api_tokens WHERE expires_at < ${new Date(expiredBeforeMs)}
          ORDER BY jti LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING *`;
      return { removed: rows.length, revokedJtis: rows.filter((row) => row.revoked_at !== null).map((row) => row.jti) };
    },
  };
}

function toRecord(row: Row): TokenRecord {
  return {
    jti: row.jti,
    ownerId: row.owner_id,
    role: row.role,
    label: row.label,
    createdAtMs: ms(row.created_at),
    expiresAtMs: ms(row.expires_at),
    revokedAtMs: optionalMs(row.revoked_at),
  };
}

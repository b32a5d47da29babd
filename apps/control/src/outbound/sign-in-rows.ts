import type { Role } from '@millrace/auth';
import type { SignInRows } from '../core/store.ts';
import type { Queryable } from './row-mapping.ts';

/** Tables control.owners and control.sign_in_codes. */
export function createSignInRows(sql: Queryable): SignInRows {
  return {
    async firstAdmin(freshOwnerId, nowMs) {
      await sql`
        INSERT INTO control.owners (owner_id, created_at, first_admin)
        VALUES (${freshOwnerId}, ${new Date(nowMs)}, true) ON CONFLICT DO NOTHING`;
      const rows = await sql<{ owner_id: string }[]>`SELECT owner_id FROM control.owners WHERE first_admin`;
      if (rows[0] === undefined) throw new Error('expected the owner of the admin link to be there after its insert');
      return rows[0].owner_id;
    },
    async addOwner(ownerId, nowMs) {
      await sql`
        INSERT INTO control.owners (owner_id, created_at) VALUES (${ownerId}, ${new Date(nowMs)})
        ON CONFLICT DO NOTHING`;
    },
    async ownerExists(ownerId) {
      const rows = await sql`SELECT 1 FROM control.owners WHERE owner_id = ${ownerId}`;
      return rows.length > 0;
    },
    async addCode(code) {
      await sql`
        INSERT INTO control.sign_in_codes (code_sha256, owner_id, role, created_at, expires_at)
        VALUES (${code.sha256}, ${code.ownerId}, ${code.role}, ${new Date(code.createdAtMs)},
          ${new Date(code.expiresAtMs)})`;
    },
    async redeem(sha256, nowMs) {
      const now = new Date(nowMs);
      const rows = await sql<{ owner_id: string; role: Role }[]>`
        UPDATE control.sign_in_codes SET used_at = ${now}
        WHERE code_sha256 = ${sha256} AND used_at IS NULL AND expires_at > ${now}
        RETURNING owner_id, role`;
      return rows[0] === undefined ? undefined : { ownerId: rows[0].owner_id, role: rows[0].role };
    },
    async anybodySignedIn() {
      const rows = await sql`SELECT 1 FROM control.sign_in_codes WHERE used_at IS NOT NULL LIMIT 1`;
      return rows.length > 0;
    },
    async sweep(expiredBeforeMs) {
      const rows = await sql`
        DELETE FROM control.sign_in_codes
        WHERE expires_at < ${new Date(expiredBeforeMs)} AND (used_at IS NULL
          OR used_at > (SELECT min(used_at) FROM control.sign_in_codes))
        RETURNING code_sha256`;
      return rows.length;
    },
  };
}

import { hashSecret } from '@millrace/auth';
import { expectOk } from '@millrace/result';
import type { AnswerRows, KeptAnswer } from '../core/store.ts';
import type { Queryable } from './row-mapping.ts';
import { seal, unseal } from './sealing.ts';

const purpose = 'idempotent answer';

/** Table control.idempotency. Answers are sealed with the client's own key, of which only a hash is stored. */
export function createAnswerRows(sql: Queryable): AnswerRows {
  return {
    async claim(at, bodySha256, nowMs, expiresAtMs) {
      const key = hashSecret(at.key);
      await sql`
        DELETE FROM control.idempotency
        WHERE owner_id = ${at.ownerId} AND route = ${at.route} AND key_sha256 = ${key}
          AND expires_at <= ${new Date(nowMs)}`;
      // an uncommitted row of the same key makes this insert wait for the other transaction's end
      const inserted = await sql`
        INSERT INTO control.idempotency (owner_id, route, key_sha256, body_sha256, status, sealed_answer, expires_at)
        VALUES (${at.ownerId}, ${at.route}, ${key}, ${bodySha256}, 0, '', ${new Date(expiresAtMs)})
        ON CONFLICT DO NOTHING RETURNING key_sha256`;
      if (inserted.length > 0) return { kind: 'claimed' };
      const rows = await sql<{ body_sha256: string; status: number; sealed_answer: string }[]>`
        SELECT body_sha256, status, sealed_answer FROM control.idempotency
        WHERE owner_id = ${at.ownerId} AND route = ${at.route} AND key_sha256 = ${key}`;
      const row = rows[0];
      if (row === undefined) throw new Error('expected the claimed idempotency row to be there');
      if (row.body_sha256 !== bodySha256) return { kind: 'other-body' };
      const text = expectOk(unseal(at.key, purpose, row.sealed_answer), 'answer sealed with the same key');
      const answer: KeptAnswer = { status: row.status, body: JSON.parse(text) };
      return { kind: 'kept', answer };
    },
    async keep(at, answer) {
      const sealed = seal(at.key, purpose, JSON.stringify(answer.body ?? null));
      await sql`
        UPDATE control.idempotency SET status = ${answer.status}, sealed_answer = ${sealed}
        WHERE owner_id = ${at.ownerId} AND route = ${at.route} AND key_sha256 = ${hashSecret(at.key)}`;
    },
    async sweep(nowMs, limit) {
      const rows = await sql`
        DELETE FROM control.idempotency WHERE (owner_id, route, key_sha256) IN (
          SELECT owner_id, route, key_sha256 FROM control.idempotency
          WHERE expires_at <= ${new Date(nowMs)} LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING key_sha256`;
      return rows.length;
    },
  };
}

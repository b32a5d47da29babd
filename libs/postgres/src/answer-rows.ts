/**
 * First answers of calls with an Idempotency-Key. A service that has them makes this table in a migration of its schema:
 *
 *     CREATE TABLE <schema>.idempotency (
 *       owner_id text COLLATE "C" NOT NULL, route text NOT NULL, key_sha256 text NOT NULL, body_sha256 text NOT NULL,
 *       status integer NOT NULL, sealed_answer text NOT NULL, expires_at timestamptz NOT NULL,
 *       PRIMARY KEY (owner_id, route, key_sha256));
 *     CREATE INDEX idempotency_by_expiry ON <schema>.idempotency (expires_at);
 */
import { hashSecret, seal, unseal } from '@millrace/auth';
import { expectOk } from '@millrace/result';
import type postgres from 'postgres';

/** Names the first answer of an idempotent call. `key` is what the client sent; only its hash is stored. */
export interface AnswerKey {
  readonly ownerId: string;
  readonly route: string;
  readonly key: string;
}

export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface AnswerRows {
  /**
   * Claims the key for this transaction. A second caller waits here until the first has committed, then gets its answer
   * (`kept`), or `other-body` when the bodies differ.
   */
  claim(
    at: AnswerKey,
    bodySha256: string,
    nowMs: number,
    expiresAtMs: number,
  ): Promise<{ kind: 'claimed' } | { kind: 'kept'; answer: KeptAnswer } | { kind: 'other-body' }>;
  keep(at: AnswerKey, answer: KeptAnswer): Promise<void>;
  /** Removes at most `limit` answers that expired; gives how many. */
  sweep(nowMs: number, limit: number): Promise<number>;
}

/**
 * Table `{schema}.idempotency`, through a pool or in a transaction. Answers are sealed with the client's own key, of which
 * only a hash is stored.
 */
export function createAnswerRows(sql: postgres.ISql<{ bigint: bigint }>, schema: string): AnswerRows {
  const table = () => sql(`${schema}.idempotency`);
  const purpose = `${schema} idempotent answer`;
  return {
    async claim(at, bodySha256, nowMs, expiresAtMs) {
      const key = hashSecret(at.key);
      await sql`
        DELETE FROM ${table()}
        WHERE owner_id = ${at.ownerId} AND route = ${at.route} AND key_sha256 = ${key}
          AND expires_at <= ${new Date(nowMs)}`;
      // an uncommitted row of the same key makes this insert wait for the other transaction's end
      const inserted = await sql`
        INSERT INTO ${table()} (owner_id, route, key_sha256, body_sha256, status, sealed_answer, expires_at)
        VALUES (${at.ownerId}, ${at.route}, ${key}, ${bodySha256}, 0, '', ${new Date(expiresAtMs)})
        ON CONFLICT DO NOTHING RETURNING key_sha256`;
      if (inserted.length > 0) return { kind: 'claimed' };
      const rows = await sql<{ body_sha256: string; status: number; sealed_answer: string }[]>`
        SELECT body_sha256, status, sealed_answer FROM ${table()}
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
        UPDATE ${table()} SET status = ${answer.status}, sealed_answer = ${sealed}
        WHERE owner_id = ${at.ownerId} AND route = ${at.route} AND key_sha256 = ${hashSecret(at.key)}`;
    },
    async sweep(nowMs, limit) {
      const rows = await sql`
        DELETE FROM ${table()} WHERE (owner_id, route, key_sha256) IN (
          SELECT owner_id, route, key_sha256 FROM ${table()}
          WHERE expires_at <= ${new Date(nowMs)} LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING key_sha256`;
      return rows.length;
    },
  };
}

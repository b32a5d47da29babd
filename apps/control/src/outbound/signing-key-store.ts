import { generateSigningKey, isSealed, type SigningKeyPair, seal, unseal } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import { type SigningKey, signingKeysTopic } from '@millrace/events';
import type { Sql } from '@millrace/postgres';
import { assertNever, err, ok, type Result } from '@millrace/result';
import type { Outbox } from './control-store.ts';

const purpose = 'control signing key';

interface Row {
  readonly kid: string;
  readonly public_jwk: SigningKeyPair['publicJwk'];
  readonly private_jwk: string;
  readonly created_at: Date;
}

export interface SigningKeyProblem {
  readonly kind: 'secret-missing' | 'secret-wrong';
  readonly message: string;
}

/** The signing key of this installation and its public state. */
export interface OwnSigningKey {
  readonly pair: SigningKeyPair;
  readonly state: SigningKey;
}

/**
 * The signing key that every control instance uses: read, or made and published when there is none. `secret` seals the
 * private key at rest; without it the key lies in the database as it is, so the database's files must be private (they
 * are 0700 in standalone). A key that was stored plain is sealed as soon as a secret is given.
 */
export async function openSigningKey(
  sql: Sql,
  outbox: Outbox,
  secret: string | undefined,
  nowMs: number,
): Promise<Result<OwnSigningKey, SigningKeyProblem>> {
  const fresh = await generateSigningKey();
  const row = await sql.begin(async (tx): Promise<Row> => {
    await tx`SELECT pg_advisory_xact_lock(hashtextextended('millrace-control-signing-key', 0))`;
    const rows = await tx<Row[]>`
      SELECT kid, public_jwk, private_jwk, created_at FROM control.signing_keys
      WHERE retired_at IS NULL ORDER BY created_at DESC LIMIT 1`;
    if (rows[0] !== undefined) return rows[0];
    const made: Row = {
      kid: fresh.kid,
      public_jwk: fresh.publicJwk,
      private_jwk: JSON.stringify(fresh.privateJwk),
      created_at: new Date(nowMs),
    };
    const stored = secret === undefined ? made.private_jwk : seal(secret, purpose, made.private_jwk);
    await tx`
      INSERT INTO control.signing_keys (kid, public_jwk, private_jwk, created_at)
      VALUES (${made.kid}, ${tx.json({ ...fresh.publicJwk })}, ${stored}, ${made.created_at})`;
    await outbox.publishIn(tx, [record(signingKeysTopic, publicState(made))]);
    return made;
  });
  outbox.committed();
  const opened = openPrivate(row, secret);
  if (!opened.ok) return opened;
  if (secret !== undefined && !isSealed(row.private_jwk)) {
    await sql`
      UPDATE control.signing_keys SET private_jwk = ${seal(secret, purpose, row.private_jwk)}
      WHERE kid = ${row.kid} AND private_jwk = ${row.private_jwk}`;
  }
  const privateJwk: SigningKeyPair['privateJwk'] = JSON.parse(opened.value);
  return ok({ pair: { kid: row.kid, publicJwk: row.public_jwk, privateJwk }, state: publicState(row) });
}

function publicState(row: Row): SigningKey {
  return { kid: row.kid, public_jwk: { ...row.public_jwk }, created_at_ms: row.created_at.getTime() };
}

function openPrivate(row: Row, secret: string | undefined): Result<string, SigningKeyProblem> {
  if (!isSealed(row.private_jwk)) return ok(row.private_jwk);
  if (secret === undefined) {
    const message = `signing key ${row.kid} is sealed: expected CONTROL_KEY_SECRET, got nothing`;
    return err({ kind: 'secret-missing', message });
  }
  const opened = unseal(secret, purpose, row.private_jwk);
  if (opened.ok) return opened;
  switch (opened.error.kind) {
    case 'not-opened':
      return err({ kind: 'secret-wrong', message: `CONTROL_KEY_SECRET does not open signing key ${row.kid}` });
    default:
      return assertNever(opened.error.kind);
  }
}

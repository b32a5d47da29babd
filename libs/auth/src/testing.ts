/** In-memory tables and a signer that fit each other, for tests of services that check tokens. */
import type { Clock } from '@millrace/clock';
import type { RevokedToken, SigningKey } from '@millrace/events';
import { systemIdSource } from '@millrace/ids';
import { createTokenSigner, generateSigningKey, type SigningKeyPair, type TokenSigner } from './token-signer.ts';
import { createTokenVerifier, type TokenTable, type TokenVerifier } from './token-verifier.ts';

/** A table that the test fills by hand; it is ready unless told otherwise. */
export class MemoryTokenTable<T> implements TokenTable<T> {
  isReady = true;
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): void {
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}

export interface TestTokens {
  readonly signer: TokenSigner;
  readonly verifier: TokenVerifier;
  readonly signingKeys: MemoryTokenTable<SigningKey>;
  readonly revoked: MemoryTokenTable<RevokedToken>;
  readonly pair: SigningKeyPair;
  revoke(jti: string): void;
}

/** Opens a signer and a verifier on fresh in-memory tables. */
export async function openTestTokens(clock: Clock, cacheCapacity?: number): Promise<TestTokens> {
  const pair = await generateSigningKey();
  const signingKeys = new MemoryTokenTable<SigningKey>();
  const revoked = new MemoryTokenTable<RevokedToken>();
  signingKeys.set(pair.kid, { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: clock.nowMs() });
  const signer = await createTokenSigner({ ...pair, clock, idSource: systemIdSource });
  const verifier = createTokenVerifier({
    signingKeys,
    revoked,
    clock,
    ...(cacheCapacity === undefined ? {} : { cacheCapacity }),
  });
  return {
    signer,
    verifier,
    signingKeys,
    revoked,
    pair,
    revoke: (jti) => revoked.set(jti, { jti, revoked_at_ms: clock.nowMs(), expires_at_ms: clock.nowMs() + 86_400_000 }),
  };
}

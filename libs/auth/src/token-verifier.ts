/**
 * Verification without a call: keys and revocations are tables of compacted topics. A signature is checked once and
 * remembered; expiry, revocation and the key's retirement are looked at every time. What a stranger can make us do is
 * bounded: length, shape, key id, audience and expiry are checked before any cryptography.
 */
import type { Clock } from '@millrace/clock';
import type { RevokedToken, SigningKey } from '@millrace/events';
import { ok, type Result } from '@millrace/result';
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { type ApiClaims, type PlaybackClaims, parseClaims, refusal, type TokenRefusal } from './claims.ts';
import { type Verified, VerifiedCache } from './verified-cache.ts';

/** The part of a table (@millrace/eventlog) that is needed here. */
export interface TokenTable<T> {
  readonly isReady: boolean;
  get(key: string): T | undefined;
}

export interface TokenVerifierOptions {
  readonly signingKeys: TokenTable<SigningKey>;
  readonly revoked: TokenTable<RevokedToken>;
  readonly clock: Clock;
  /** Most remembered tokens; default 10,000 (about 10 MB). */
  readonly cacheCapacity?: number;
}

/** The answer comes at once when the token was verified before, else as a promise. */
export type Verdict<T> = Result<T, TokenRefusal> | Promise<Result<T, TokenRefusal>>;

export interface TokenVerifier {
  verifyApiToken(token: string): Verdict<ApiClaims>;
  /** Also checks that the token is for `playbackId`. */
  verifyPlaybackToken(token: string, playbackId: string): Verdict<PlaybackClaims>;
}

const maxTokenLength = 1024;
/** Signatures being checked at once; more is refused as `not-ready`, so that a flood cannot queue up. */
const maxPending = 1_000;

/** Opens a verifier on the two tables. It holds no resource. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { signingKeys, revoked, clock } = options;
  const cache = new VerifiedCache(options.cacheCapacity ?? 10_000);
  const pending = new Map<string, Promise<Result<Verified, TokenRefusal>>>();

  const standing = (entry: Verified): Result<Verified, TokenRefusal> => {
    const nowMs = clock.nowMs();
    const key = signingKeys.get(entry.kid);
    if (key === undefined || key !== entry.key)
      return refusal('bad-signature', 'the signing key is not in use any more');
    if (key.retired_at_ms !== undefined && nowMs >= key.retired_at_ms) {
      return refusal('expired', 'the signing key was retired');
    }
    if (nowMs >= entry.claims.expiresAtMs) {
      return refusal('expired', `the token expired at ${new Date(entry.claims.expiresAtMs).toISOString()}`);
    }
    if (revoked.get(entry.claims.jti) !== undefined) return refusal('revoked', 'the token was revoked');
    return ok(entry);
  };

  const verifyOnce = (token: string, candidate: Verified): Promise<Result<Verified, TokenRefusal>> => {
    const running = pending.get(token);
    if (running !== undefined) return running;
    const started = checkSignature(token, candidate).finally(() => pending.delete(token));
    pending.set(token, started);
    return started;
  };

  const verify = (token: string, audience: 'api' | 'playback'): Verdict<ApiClaims | PlaybackClaims> => {
    if (!signingKeys.isReady || !revoked.isReady) {
      return refusal('not-ready', 'signing keys and revocations are still being read: try again shortly');
    }
    const known = cache.get(token);
    if (known !== undefined && signingKeys.get(known.kid) === known.key) return admitted(standing(known), audience);
    if (known !== undefined) cache.delete(token);
    const candidate = readCandidate(token, signingKeys);
    if (!candidate.ok) return candidate;
    const early = admitted(standing(candidate.value), audience);
    if (!early.ok) return early;
    if (pending.size >= maxPending && !pending.has(token)) return refusal('not-ready', 'too many new tokens at once');
    return verifyOnce(token, candidate.value).then((checked) => {
      if (!checked.ok) return checked;
      cache.set(token, checked.value);
      return admitted(standing(checked.value), audience);
    });
  };

  return {
    verifyApiToken: (token) =>
      narrow(verify(token, 'api'), (claims) => (claims.audience === 'api' ? ok(claims) : wrong())),
    verifyPlaybackToken: (token, playbackId) =>
      narrow(verify(token, 'playback'), (claims) => {
        if (claims.audience !== 'playback') return wrong();
        if (claims.playbackId !== playbackId)
          return refusal('wrong-stream', `the token is not for ${playbackId.slice(0, 40)}`);
        return ok(claims);
      }),
  };
}

function wrong() {
  return refusal('wrong-audience', 'the token is meant for something else');
}

function admitted(
  result: Result<Verified, TokenRefusal>,
  audience: 'api' | 'playback',
): Result<ApiClaims | PlaybackClaims, TokenRefusal> {
  if (!result.ok) return result;
  const { claims } = result.value;
  if (claims.audience !== audience) {
    return refusal('wrong-audience', `expected a token for "${audience}", got one for "${claims.audience}"`);
  }
  return ok(claims);
}

function narrow<A, B>(verdict: Verdict<A>, next: (value: A) => Result<B, TokenRefusal>): Verdict<B> {
  const step = (result: Result<A, TokenRefusal>) => (result.ok ? next(result.value) : result);
  return verdict instanceof Promise ? verdict.then(step) : step(verdict);
}

/** Reads header and claims without trusting them, and finds the key they name. */
function readCandidate(token: string, keys: TokenTable<SigningKey>): Result<Verified, TokenRefusal> {
  if (token.length > maxTokenLength || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    return refusal('malformed', 'expected a compact JWT of three parts');
  }
  let header: { alg?: string; kid?: string };
  let payload: unknown;
  try {
    header = decodeProtectedHeader(token);
    payload = decodeJwt(token);
  } catch {
    return refusal('malformed', 'expected a compact JWT with JSON header and claims');
  }
  if (header.alg !== 'EdDSA') return refusal('bad-signature', 'expected a token signed with EdDSA');
  const key = header.kid === undefined ? undefined : keys.get(header.kid);
  if (header.kid === undefined || key === undefined) return refusal('bad-signature', 'the signing key is not known');
  const claims = parseClaims(payload);
  return claims.ok ? ok({ claims: claims.value, kid: header.kid, key }) : claims;
}

async function checkSignature(token: string, candidate: Verified): Promise<Result<Verified, TokenRefusal>> {
  try {
    const { public_jwk } = candidate.key;
    await compactVerify(token, await importJWK(public_jwk, 'EdDSA'), { algorithms: ['EdDSA'] });
    return ok(candidate);
  } catch {
    return refusal('bad-signature', 'the signature does not fit');
  }
}

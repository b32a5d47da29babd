/** What tokens say, parsed once; nothing outside this file looks at raw claims. */
import { err, ok, type Result } from '@millrace/result';

export const roles = ['admin', 'broadcaster', 'analyst', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** A token for the REST APIs: who (`ownerId`) may do what (`role`). */
export interface ApiClaims {
  readonly audience: 'api';
  readonly ownerId: string;
  readonly role: Role;
  readonly jti: string;
  readonly expiresAtMs: number;
}

/** A token that lets its holder play one private stream. */
export interface PlaybackClaims {
  readonly audience: 'playback';
  readonly playbackId: string;
  readonly jti: string;
  readonly expiresAtMs: number;
}

/** Why a token was not accepted; `message` may be shown to its holder. */
export interface TokenRefusal {
  readonly kind:
    | 'malformed'
    | 'bad-signature'
    | 'expired'
    | 'revoked'
    | 'wrong-audience'
    | 'wrong-stream'
    | 'not-ready';
  readonly message: string;
}

/** Builds a refusal. */
export function refusal(kind: TokenRefusal['kind'], message: string): { ok: false; error: TokenRefusal } {
  return err({ kind, message });
}

/** Parses a JWT payload. `exp` is in seconds (RFC 7519 2). */
export function parseClaims(payload: unknown): Result<ApiClaims | PlaybackClaims, TokenRefusal> {
  if (typeof payload !== 'object' || payload === null) return refusal('malformed', 'expected a JSON object of claims');
  const { aud, sub, role, jti, exp } = payload as Readonly<Record<string, unknown>>;
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number' || !Number.isFinite(exp)) {
    return refusal('malformed', 'expected the claims sub, jti and exp');
  }
  const expiresAtMs = exp * 1000;
  if (aud === 'playback') return ok({ audience: 'playback', playbackId: sub, jti, expiresAtMs });
  if (aud !== 'api') return refusal('wrong-audience', 'expected a token for "api" or "playback"');
  const known = roles.find((name) => name === role);
  if (known === undefined) return refusal('malformed', `expected a role of ${roles.join(', ')}`);
  return ok({ audience: 'api', ownerId: sub, role: known, jti, expiresAtMs });
}

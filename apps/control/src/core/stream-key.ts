import type { StreamKeyState } from '@millrace/events';
import { err, ok, type Result } from '@millrace/result';

/** A stream key as it is stored. Times are ms since 1970. */
export interface KeyRecord {
  readonly keyId: string;
  readonly streamId: string;
  readonly ownerId: string;
  readonly sha256: string;
  readonly last4: string;
  readonly label: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

/** Most keys of one stream, the ended ones that are not yet swept included. */
export const maxKeysPerStream = 50;

/** Whether ingest accepts the key at `nowMs`. */
export function isUsable(key: KeyRecord, nowMs: number): boolean {
  return key.revokedAtMs === undefined && (key.expiresAtMs === undefined || nowMs < key.expiresAtMs);
}

/**
 * What a rotation makes of the old key: it works for `overlapMs` more, or until the end it already had if that is sooner.
 * A key that does not work any more cannot be rotated.
 */
export function retire(
  key: KeyRecord,
  nowMs: number,
  overlapMs: number,
): Result<KeyRecord, { kind: 'key-not-usable'; message: string }> {
  if (!isUsable(key, nowMs)) {
    const how = key.revokedAtMs === undefined ? 'expired' : 'revoked';
    return err({ kind: 'key-not-usable', message: `expected a key that still works, ${key.keyId} is ${how}` });
  }
  return ok({ ...key, expiresAtMs: Math.min(nowMs + overlapMs, key.expiresAtMs ?? Number.POSITIVE_INFINITY) });
}

/** The whole state that other services read. */
export function keyState(key: KeyRecord): StreamKeyState {
  return {
    key_id: key.keyId,
    stream_id: key.streamId,
    owner_id: key.ownerId,
    key_sha256: key.sha256,
    label: key.label,
    revoked: key.revokedAtMs !== undefined,
    ...(key.expiresAtMs === undefined ? {} : { expires_at_ms: key.expiresAtMs }),
  };
}

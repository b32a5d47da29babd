import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-256 of a secret, 64 lower-case hex digits. Enough for secrets of 128 random bits and more (stream keys, sign-in
 * codes); a password would need a slow hash.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether two secrets are equal, in time that depends on neither their content nor their common prefix. */
export function equalSecrets(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * Sealing of texts at rest: AES-256-GCM under a key derived from a secret with HKDF (RFC 5869) and a fresh salt. The secret
 * must be random (32 characters and more, or a client's idempotency key): HKDF does not slow down guessing.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { err, ok, type Result } from '@millrace/result';

const prefix = 'sealed1.';

/** Seals `text`; `purpose`, which starts with the service's name, keeps a text sealed for one use from being opened for another. */
export function seal(secret: string, purpose: string, text: string): string {
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', deriveKey(secret, salt, purpose), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return prefix + Buffer.concat([salt, nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/** Whether a stored text is sealed. */
export function isSealed(stored: string): boolean {
  return stored.startsWith(prefix);
}

/** Opens a sealed text; fails when the secret or purpose is another one or a bit was changed. */
export function unseal(
  secret: string,
  purpose: string,
  stored: string,
): Result<string, { kind: 'not-opened'; message: string }> {
  const bytes = Buffer.from(stored.slice(prefix.length), 'base64url');
  if (!isSealed(stored) || bytes.length < 44) {
    return err({ kind: 'not-opened', message: `expected a sealed text for ${purpose}` });
  }
  const decipher = createDecipheriv(
    'aes-256-gcm',
    deriveKey(secret, bytes.subarray(0, 16), purpose),
    bytes.subarray(16, 28),
  );
  decipher.setAuthTag(bytes.subarray(28, 44));
  try {
    return ok(Buffer.concat([decipher.update(bytes.subarray(44)), decipher.final()]).toString('utf8'));
  } catch {
    return err({ kind: 'not-opened', message: `the secret does not open the text for ${purpose}` });
  }
}

function deriveKey(secret: string, salt: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `millrace ${purpose}`, 32));
}

/** Secrets and signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body. */
import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** A fresh secret of 32 random bytes. */
export function newWebhookSecret(random: (bytes: Uint8Array) => Uint8Array): string {
  return prefix + Buffer.from(random(new Uint8Array(32))).toString('base64');
}

/** Headers that prove who sent `body`, and when. `id` is the same over all tries of one delivery. */
export function signedHeaders(
  secret: string,
  id: string,
  nowMs: number,
  body: string,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

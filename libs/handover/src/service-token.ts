import { createHash, timingSafeEqual } from 'node:crypto';

/** The secret that services show each other: its text, or a `Secret` of @millrace/config. */
export type ServiceToken = string | { reveal(): string };

/** The value of the Authorization header that carries `token`. */
export function bearerOf(token: ServiceToken): string {
  return `Bearer ${typeof token === 'string' ? token : token.reveal()}`;
}

/** A check of Authorization headers against `token`; compares digests in constant time, so neither content nor length leaks. */
export function createBearerCheck(token: ServiceToken): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(bearerOf(token));
  return (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), expected);
}

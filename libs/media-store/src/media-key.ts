import { err, ok, type Result } from '@millrace/result';
import type { StoreFailure } from './media-store.ts';

const segmentPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const longestKey = 512;

/**
 * Splits a key into its segments. A segment is 1 to 128 letters, digits, `.`, `_` or `-` and does not start with a dot, so
 * that no key can leave the store's folder, hide a file or mean two things on two systems.
 */
export function parseMediaKey(key: string): Result<readonly string[], StoreFailure> {
  const segments = key.split('/');
  if (key.length <= longestKey && segments.every((segment) => segmentPattern.test(segment))) return ok(segments);
  return err({
    kind: 'bad-key',
    message: `expected segments of [A-Za-z0-9._-] without a leading dot joined by "/", at most ${longestKey} characters, got ${JSON.stringify(key.slice(0, 80))}`,
  });
}

/** Splits a prefix: empty, or a key followed by `/`. */
export function parseMediaPrefix(prefix: string): Result<readonly string[], StoreFailure> {
  if (prefix === '') return ok([]);
  if (prefix.endsWith('/')) return parseMediaKey(prefix.slice(0, -1));
  return err({
    kind: 'bad-key',
    message: `expected a prefix that ends in "/", got ${JSON.stringify(prefix.slice(0, 80))}`,
  });
}

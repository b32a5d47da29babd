/**
 * Rendezvous hashing (highest random weight, Thaler and Ravishankar 1998): which origin a stream belongs to, and which is
 * next when that one is away. Every worker and every edge comes to the same order from the same set of names, whatever
 * the order of the list, and when a name goes only its own streams move.
 */
import { createHash } from 'node:crypto';

/** `origins` from the first choice of `streamId` to the last. Names are compared as they are: normalise URLs first. */
export function rankOrigins(streamId: string, origins: readonly string[]): readonly string[] {
  const weighed = [...new Set(origins)].map((origin) => ({ origin, weight: weightOf(streamId, origin) }));
  // Equal weights would need a collision of SHA-256; the name decides even then.
  weighed.sort((a, b) => Buffer.compare(b.weight, a.weight) || (a.origin < b.origin ? -1 : 1));
  return weighed.map(({ origin }) => origin);
}

/** The base URL of an internal listener, spelled in one way: `http://Origin-1:8082/` and `http://origin-1:8082` are one. */
export function originName(url: string): string {
  return new URL(url).origin;
}

function weightOf(streamId: string, origin: string): Buffer {
  return createHash('sha256').update(streamId).update('\0').update(origin).digest();
}

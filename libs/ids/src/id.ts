/**
 * Ids are a prefix that names the kind and a UUIDv7 (RFC 9562 5.7) in 26 characters of lower-case Crockford base32:
 * `str_01jd4…`. They sort by creation time within a kind and carry 74 random bits.
 */
import { err, ok, type Result } from '@millrace/result';

declare const brand: unique symbol;
/** A branded id string of the kind that prefix `P` names. Made only by `newId` and `parseId`. */
export type Id<P extends IdPrefix> = string & { readonly [brand]: P };

/**
 * Every kind of id there is: stream, stream key, API token, playback id, publish, viewer session, event, owner, request; video, job,
 * task of a job, composition, image, upload, asset (what a video's run published), webhook, import.
 */
export type IdPrefix =
  | ('str' | 'key' | 'tok' | 'play' | 'pub' | 'ses' | 'evt' | 'own' | 'req')
  | ('vid' | 'job' | 'tsk' | 'cmp' | 'img' | 'upl' | 'ast' | 'hook' | 'imp');

export type StreamId = Id<'str'>;
export type KeyId = Id<'key'>;
export type TokenId = Id<'tok'>;
export type PlaybackId = Id<'play'>;
export type PublishId = Id<'pub'>;
export type SessionId = Id<'ses'>;
export type EventId = Id<'evt'>;
export type OwnerId = Id<'own'>;
export type RequestId = Id<'req'>;
export type VideoId = Id<'vid'>;
export type JobId = Id<'job'>;
export type TaskId = Id<'tsk'>;
export type CompositionId = Id<'cmp'>;
export type ImageId = Id<'img'>;
export type UploadId = Id<'upl'>;
export type AssetId = Id<'ast'>;
export type WebhookId = Id<'hook'>;

/** Where ids get time (wall clock, ms) and randomness from; injected so that tests can repeat them. */
export interface IdSource {
  readonly nowMs: () => number;
  readonly random: (bytes: Uint8Array) => Uint8Array;
}

/** The process's wall clock and cryptographic randomness. */
export const systemIdSource: IdSource = {
  nowMs: () => Date.now(),
  random: (bytes) => {
    if (bytes.length > mostPooled) return globalThis.crypto.getRandomValues(bytes);
    if (pool.length - pooledFrom < bytes.length) {
      globalThis.crypto.getRandomValues(pool);
      pooledFrom = 0;
    }
    const end = pooledFrom + bytes.length;
    bytes.set(pool.subarray(pooledFrom, end));
    pool.fill(0, pooledFrom, end); // nobody gets the same bytes, nor finds them here afterwards
    pooledFrom = end;
    return bytes;
  },
};

/** Randomness for the next ids: a call to the system costs some ten times as much as an id, and a join of a viewer takes three. */
const pool = new Uint8Array(4_096);
let pooledFrom = pool.length;
const mostPooled = 64;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const digits = [...alphabet];
const bodyPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Makes a new id of kind `prefix` from `source`'s time and randomness. */
export function newId<P extends IdPrefix>(prefix: P, source: IdSource = systemIdSource): Id<P> {
  const bytes = source.random(new Uint8Array(16));
  const now = Math.trunc(source.nowMs());
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (40 - 8 * i)) & 0xff;
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `${prefix}_${encode(bytes)}` as Id<P>;
}

/** Checks that `text` is an id of kind `prefix`. The error says what was expected and what came (cut at 40 characters). */
export function parseId<P extends IdPrefix>(
  prefix: P,
  text: string,
): Result<Id<P>, { kind: 'bad-id'; message: string }> {
  if (text.startsWith(`${prefix}_`) && bodyPattern.test(text.slice(prefix.length + 1))) return ok(text as Id<P>);
  return err({
    kind: 'bad-id',
    message: `expected an id like ${prefix}_ and 26 characters, got "${text.slice(0, 40)}"`,
  });
}

/** The creation time in an id, ms since 1970. */
export function idTimeMs(id: Id<IdPrefix>): number {
  const body = id.slice(id.indexOf('_') + 1);
  let bits = 0n;
  for (const c of body.slice(0, 10)) bits = (bits << 5n) | BigInt(alphabet.indexOf(c));
  return Number(bits); // 130 bits are written for 128, so the first ten characters hold two zero bits and the 48-bit time
}

/** The 128 bits as a number of base 32, the highest digit first; two zero bits stand before them. */
function encode(bytes: Uint8Array): string {
  let text = '';
  let [bits, held] = [0, 2];
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (held += 8; held >= 5; held -= 5) text += digits[(bits >> (held - 5)) & 31];
    bits &= 31;
  }
  return text;
}

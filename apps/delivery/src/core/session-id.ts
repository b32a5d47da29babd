/**
 * A viewer session's id: an id of the kind `ses` (its time is when it was minted) and the tag of the instance that minted it,
 * its home: `ses_01k…-4f9tz1`. A session that a player's reports alone tell of has no home; its id is made from the
 * player's own session id, so that every instance gives it the same.
 */
import { type IdSource, idTimeMs, newId, parseId } from '@millrace/ids';

declare const brand: unique symbol;
export type ViewerSessionId = string & { readonly [brand]: 'ViewerSessionId' };
/** Six characters that stand for an instance. */
export type HomeTag = string & { readonly [brand]: 'HomeTag' };

export interface SessionIdentity {
  readonly id: ViewerSessionId;
  readonly home: HomeTag;
  /** Wall clock of the home, ms; undefined for a session without one. */
  readonly mintedAtMs: number | undefined;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const noHome = '000000' as HomeTag;
const tagLength = 6;
const tagPattern = /^[0-9a-hjkmnp-tv-z]{6}$/;

/** The tag of an instance: 30 bits of FNV-1a over its id, so that a restart under the same name keeps it. */
export function homeTag(instanceId: string): HomeTag {
  let hash = 0x811c9dc5;
  for (let i = 0; i < instanceId.length; i++) hash = Math.imul(hash ^ instanceId.charCodeAt(i), 0x01000193) >>> 0;
  hash = (hash ^ (hash >>> 15)) >>> 0; // FNV's low bits are the weak ones of short names
  let tag = '';
  for (let i = 0; i < tagLength; i++) tag += alphabet.charAt((hash >>> (5 * i)) & 31);
  return (tag === noHome ? '000001' : tag) as HomeTag;
}

export function mintSessionId(source: IdSource, home: HomeTag): ViewerSessionId {
  return `${newId('ses', source)}-${home}` as ViewerSessionId;
}

/** The id of a session that has no home, from at least 16 bytes that are its own. */
export function homelessSessionId(bytes: Uint8Array): ViewerSessionId {
  let body = alphabet.charAt((bytes[0] ?? 0) & 7);
  for (let i = 1; i < 26; i++) body += alphabet.charAt((bytes[i % bytes.length] ?? 0) & 31);
  return `ses_${body}-${noHome}` as ViewerSessionId;
}

/** Reads an id from a path; undefined when none of us can have made it. */
export function parseSessionId(text: string): SessionIdentity | undefined {
  const at = text.lastIndexOf('-');
  const home = text.slice(at + 1);
  if (at < 0 || !tagPattern.test(home)) return undefined;
  const id = parseId('ses', text.slice(0, at));
  if (!id.ok) return undefined;
  const mintedAtMs = home === noHome ? undefined : idTimeMs(id.value);
  return { id: text as ViewerSessionId, home: home as HomeTag, mintedAtMs };
}

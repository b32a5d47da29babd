/**
 * Entries of a spool file: u32 length, u32 CRC-32 of the payload (both big-endian), payload. A file that a crash cut
 * short ends with a torn entry, which was never acknowledged.
 */
import { crc32 } from 'node:zlib';

const entryHeaderBytes = 8;
/** A longer entry is damage, not an entry. */
const maxEntryBytes = 2_000_000;

/** One fact as it waits in the spool. */
export interface SpooledFact {
  readonly topic: string;
  readonly key: string;
  readonly id: string;
  readonly timeMs: number;
  readonly value: unknown;
}

export function encodeEntry(fact: SpooledFact): Uint8Array {
  const payload = Buffer.from(JSON.stringify([fact.topic, fact.key, fact.id, fact.timeMs, fact.value]));
  if (payload.length > maxEntryBytes)
    throw new Error(`${fact.topic}: a fact of ${payload.length} bytes, at most ${maxEntryBytes}`);
  const entry = Buffer.allocUnsafe(entryHeaderBytes + payload.length);
  entry.writeUInt32BE(payload.length, 0);
  entry.writeUInt32BE(crc32(payload), 4);
  payload.copy(entry, entryHeaderBytes);
  return entry;
}

export interface DecodedEntries {
  readonly facts: readonly SpooledFact[];
  /** Bytes of `data` that whole entries take. */
  readonly bytes: number;
  /** `more`: the data ends within an entry; `end`: exactly after one; `damaged`: what follows is no entry. */
  readonly rest: 'more' | 'end' | 'damaged';
}

/** Decodes whole entries from the beginning of `data`. Never throws. */
export function decodeEntries(data: Uint8Array, maxFacts = Number.POSITIVE_INFINITY): DecodedEntries {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const facts: SpooledFact[] = [];
  let at = 0;
  while (at < buffer.length && facts.length < maxFacts) {
    if (buffer.length - at < entryHeaderBytes) return { facts, bytes: at, rest: 'more' };
    const length = buffer.readUInt32BE(at);
    if (length === 0 || length > maxEntryBytes) return { facts, bytes: at, rest: 'damaged' };
    const end = at + entryHeaderBytes + length;
    if (end > buffer.length) return { facts, bytes: at, rest: 'more' };
    const payload = buffer.subarray(at + entryHeaderBytes, end);
    const fact = crc32(payload) === buffer.readUInt32BE(at + 4) ? parseFact(payload) : undefined;
    if (fact === undefined) return { facts, bytes: at, rest: 'damaged' };
    facts.push(fact);
    at = end;
  }
  return { facts, bytes: at, rest: 'end' };
}

function parseFact(payload: Buffer): SpooledFact | undefined {
  try {
    const [topic, key, id, timeMs, value] = JSON.parse(payload.toString('utf8')) as [
      string,
      string,
      string,
      number,
      unknown,
    ];
    return { topic, key, id, timeMs, value };
  } catch {
    return undefined;
  }
}

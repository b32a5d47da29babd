/**
 * What a part's moof does not say, as a `uuid` box (ISO 14496-12 11.1) in front of it: other readers skip it, and it
 * leaves with the part's first byte, so that delivery can list the part the moment it is whole.
 */

import type { ListedFrame } from './window-port.ts';

/** Index of the part in its segment, and the marks of `PartWrite` that the moof lacks. */
export interface PartMark {
  readonly part: number;
  readonly last: boolean;
  readonly discontinuity: boolean;
  readonly programDateTimeMs: number | undefined;
  readonly lastFrame?: ListedFrame | undefined;
}

const markBytes = 56;
/** `6d696c6c-7261-6365-8001-706172746d6b`, a UUIDv8 of our own. */
const userType = Buffer.from('6d696c6c726163658001706172746d6b', 'hex');
const flag = { last: 1, discontinuity: 2, dated: 4, lastFrame: 8 } as const;

/** The box: header, user type, version and flags, part index, wall clock in ms, last frame (0 without their flags). */
export function encodePartMark(mark: PartMark): Uint8Array {
  const bytes = Buffer.alloc(markBytes);
  bytes.writeUInt32BE(markBytes, 0);
  bytes.write('uuid', 4, 'latin1');
  userType.copy(bytes, 8);
  const dated = mark.programDateTimeMs === undefined ? 0 : flag.dated;
  const framed = mark.lastFrame === undefined ? 0 : flag.lastFrame;
  bytes.writeUInt32BE((mark.last ? flag.last : 0) | (mark.discontinuity ? flag.discontinuity : 0) | dated | framed, 24);
  bytes.writeUInt32BE(mark.part, 28);
  bytes.writeDoubleBE(mark.programDateTimeMs ?? 0, 32);
  bytes.writeDoubleBE(mark.lastFrame?.timestampMs ?? 0, 40);
  bytes.writeDoubleBE(mark.lastFrame?.counterDts ?? 0, 48);
  return bytes;
}

/** Reads the mark at the start of `head` and returns it with the bytes behind it; undefined when there is none. */
export function splitPartMark(head: Uint8Array): { readonly mark: PartMark; readonly rest: Uint8Array } | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < markBytes || bytes.readUInt32BE(0) !== markBytes) return undefined;
  if (bytes.toString('latin1', 4, 8) !== 'uuid' || !bytes.subarray(8, 24).equals(userType)) return undefined;
  const flags = bytes.readUInt32BE(24);
  if (flags > 15) return undefined;
  const programDateTimeMs = (flags & flag.dated) !== 0 ? bytes.readDoubleBE(32) : undefined;
  if (programDateTimeMs !== undefined && !Number.isFinite(programDateTimeMs)) return undefined;
  const [timestampMs, counterDts] = [bytes.readDoubleBE(40), bytes.readDoubleBE(48)];
  if (!Number.isFinite(timestampMs) || !Number.isFinite(counterDts)) return undefined;
  const mark: PartMark = {
    part: bytes.readUInt32BE(28),
    last: (flags & flag.last) !== 0,
    discontinuity: (flags & flag.discontinuity) !== 0,
    programDateTimeMs,
    ...((flags & flag.lastFrame) !== 0 && { lastFrame: { timestampMs, counterDts } }),
  };
  return { mark, rest: head.subarray(markBytes) };
}

/**
 * A position in the event log, as clients carry it: for each topic that a board reads, the next offset of each partition. Every
 * instance reads the same log, so each can read a position that another one gave out. On the wire: base 36, partitions joined by
 * `.`, topics by `_`; 24 partitions of 10^13 records fit the 256 characters of the protocol.
 */
import { err, ok, type Result } from '@millrace/result';

/** By topic, then by partition; what is missing counts as 0: nothing read yet. */
export type LogPosition = readonly (readonly bigint[])[];

/** The text of a position. */
export function encodePosition(position: LogPosition): string {
  return position.map((partitions) => partitions.map((offset) => offset.toString(36)).join('.')).join('_');
}

const shape = /^[0-9a-z._]{0,256}$/;
const digits = /^[0-9a-z]{1,12}$/;

/** Reads what `encodePosition` wrote; anything else is refused. */
export function decodePosition(text: string, topics: number): Result<LogPosition, string> {
  if (!shape.test(text)) return err('expected an offset as the hub gave it');
  const parts = text.split('_');
  if (parts.length !== topics) return err(`expected positions in ${topics} topics, got ${parts.length}`);
  const position: bigint[][] = [];
  for (const part of parts) {
    const offsets = part === '' ? [] : part.split('.');
    if (!offsets.every((offset) => digits.test(offset))) return err('expected offsets in base 36');
    position.push(offsets.map((offset) => fromBase36(offset)));
  }
  return ok(position);
}

function fromBase36(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return value;
}

/** The offset at one place. */
export function offsetAt(position: LogPosition, topic: number, partition: number): bigint {
  return position[topic]?.[partition] ?? 0n;
}

/** Whether `a` is before `b` in some partition. */
export function isBehind(a: LogPosition, b: LogPosition): boolean {
  return b.some((partitions, topic) => partitions.some((offset, at) => offsetAt(a, topic, at) < offset));
}

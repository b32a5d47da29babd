/**
 * A spool file is a row of frames: length (u32, big endian), CRC-32 of the payload (u32), payload. A write that a crash
 * cut short shows as a frame that is too short or whose CRC is wrong: the file ends before it.
 */
import { crc32 } from 'node:zlib';

const headBytes = 8;
/** Longest payload; a longer length can only be a torn or foreign file. */
export const maxPayloadBytes = 1024 * 1024;

/** The frame of one payload. */
export function encodeFrame(payload: Uint8Array): Buffer {
  if (payload.length > maxPayloadBytes)
    throw new Error(`expected a fact of at most ${maxPayloadBytes} bytes, got ${payload.length}`);
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(crc32(payload), 4);
  frame.set(payload, headBytes);
  return frame;
}

export interface ScannedFrames {
  readonly payloads: readonly Uint8Array[];
  /** Bytes of `bytes` that are whole, sound frames. */
  readonly soundBytes: number;
  /** A frame after those is damaged, not merely cut off by the end of `bytes`. */
  readonly damaged: boolean;
}

/** Reads frames from the start of `bytes`, at most `maxFrames`, up to the first that is cut off or damaged. */
export function scanFrames(bytes: Uint8Array, maxFrames = Number.POSITIVE_INFINITY): ScannedFrames {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloads: Uint8Array[] = [];
  let at = 0;
  while (payloads.length < maxFrames && at + headBytes <= view.length) {
    const length = view.readUInt32BE(at);
    if (length > maxPayloadBytes) return { payloads, soundBytes: at, damaged: true };
    const end = at + headBytes + length;
    if (end > view.length) break;
    const payload = view.subarray(at + headBytes, end);
    if (crc32(payload) !== view.readUInt32BE(at + 4)) return { payloads, soundBytes: at, damaged: true };
    payloads.push(payload);
    at = end;
  }
  return { payloads, soundBytes: at, damaged: false };
}

import type { MediaTag } from './media-tag.ts';
import { Slab } from './slab.ts';
import { tagHead, tagPayload } from './tag-body.ts';

const tagHeaderBytes = 11;

/**
 * Writes an FLV byte stream (annex E.2) as slices: payloads go out by reference. The previous-tag size follows its tag at
 * once, so a reader that waits for it is not a tag behind.
 */
export class FlvWriter {
  readonly #slab = new Slab(16_384);

  /** The file header and the first previous-tag size. The flags say which tracks a strict reader should wait for. */
  header(tracks: { readonly video: boolean; readonly audio: boolean }): Uint8Array {
    const flags = (tracks.video ? 1 : 0) | (tracks.audio ? 4 : 0);
    return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0);
  }

  /** One tag: its header, its payload and its size. The timestamp is cut to the 32 bits of the format. */
  tag(tag: MediaTag): readonly Uint8Array[] {
    const { type, head } = tagHead(tag);
    const payload = tagPayload(tag);
    const size = head.length + payload.length;
    if (size > 0xff_ffff) throw new Error(`a tag of ${size} bytes does not fit FLV's 24-bit size`);
    const bytes = this.#slab.take(tagHeaderBytes + head.length);
    bytes[0] = type;
    writeUint24(bytes, 1, size);
    writeUint24(bytes, 4, tag.timestampMs);
    bytes[7] = (tag.timestampMs >>> 24) & 0xff;
    bytes.set(head, tagHeaderBytes);
    const tail = this.#slab.take(4);
    const whole = size + tagHeaderBytes;
    tail[0] = (whole >>> 24) & 0xff;
    writeUint24(tail, 1, whole);
    return payload.length === 0 ? [bytes, tail] : [bytes, payload, tail];
  }
}

function writeUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 16) & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = value & 0xff;
}

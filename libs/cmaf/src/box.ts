/** ISO base media file format boxes (ISO 14496-12 4.2): 32-bit sizes, big-endian fields. */

/** A box of `type` around `contents`; for small, rare boxes (it concatenates). */
export function box(type: string, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, part) => sum + part.length, 8);
  const bytes = new Uint8Array(size);
  writeBoxHeader(new DataView(bytes.buffer), 0, size, type);
  let at = 8;
  for (const part of contents) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A full box: version, 24 bits of flags, then `contents`. */
export function fullBox(type: string, version: number, flags: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return box(type, uint32(version * 0x100_0000 + flags), ...contents);
}

/** Writes the 8 bytes of a box header and returns the offset behind it. */
export function writeBoxHeader(view: DataView, at: number, size: number, type: string): number {
  view.setUint32(at, size);
  for (let i = 0; i < 4; i++) view.setUint8(at + 4 + i, type.charCodeAt(i));
  return at + 8;
}

/** Big-endian 32-bit fields one after another. */
export function uint32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(i * 4, value);
  });
  return bytes;
}

/** Big-endian 16-bit fields one after another. */
export function uint16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]));
}

/** The bytes of an ASCII string. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export interface BoxView {
  readonly type: string;
  /** Its contents, header excluded: a view. */
  readonly body: Uint8Array;
  /** Where the box starts in what was walked, and its whole size. */
  readonly start: number;
  readonly size: number;
}

/** The boxes in `bytes` one after another; undefined when a size does not fit (0, 64-bit and overlong sizes included). */
export function readBoxes(bytes: Uint8Array): readonly BoxView[] | undefined {
  const boxes: BoxView[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = bytes.length - at < 8 ? 0 : viewOf(bytes).getUint32(at);
    if (size < 8 || size > bytes.length - at) return undefined;
    boxes.push({ type: boxType(bytes, at), body: bytes.subarray(at + 8, at + size), start: at, size });
    at += size;
  }
  return boxes;
}

/** The four characters of the box at `at`. */
export function boxType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}

/** The body of the first box on `path` (`['moov', 'trak']`) in `bytes`; undefined when there is none. */
export function findBox(bytes: Uint8Array, path: readonly string[]): Uint8Array | undefined {
  let body: Uint8Array | undefined = bytes;
  for (const type of path) {
    body = body && readBoxes(body)?.find((candidate) => candidate.type === type)?.body;
  }
  return body;
}

/** A DataView of exactly `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

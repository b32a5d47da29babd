/**
 * Where the size of a picture stands in its file, format by format. A walk asks for ranges of the file in rising order, notes what it
 * finds, and ends when it has seen enough; it never asks for more than 64 KiB at once, and never looks at pixels.
 */
import { readOrientation } from './exif-orientation.ts';

export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'gif';

/** What a walk has found so far. */
export interface FoundPicture {
  readonly format: PictureFormat;
  width: number;
  height: number;
  /** EXIF, 1..8. */
  orientation: number;
  /** Why it is not taken; undefined: nothing is wrong yet. */
  fault: string | undefined;
}

export interface Range {
  readonly at: number;
  readonly length: number;
}

/** Yields what it wants to see and is given exactly that. */
export type PictureWalk = Generator<Range, void, Uint8Array>;

/** Enough to tell the formats apart. */
export const signatureLength = 12;
const longestPart = 65_536;
/** A file of nothing but headers is no picture. */
const mostParts = 4_096;

/** The format by its first bytes; undefined: none of ours. */
export function formatOf(head: Uint8Array): PictureFormat | undefined {
  const text = latin(head);
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  return undefined;
}

export function walkOf(found: FoundPicture): PictureWalk {
  switch (found.format) {
    case 'jpeg':
      return walkJpeg(found);
    case 'png':
      return walkPng(found);
    case 'webp':
      return walkWebp(found);
    case 'gif':
      return walkGif(found);
  }
}

/** Markers up to the frame header (ITU T.81 B.1.1); Exif is in APP1. */
function* walkJpeg(found: FoundPicture): PictureWalk {
  let at = 2;
  for (let part = 0; part < mostParts; part++) {
    const head = view(yield { at, length: 4 });
    if (head.getUint8(0) !== 0xff) return fail(found, 'a JPEG whose markers do not follow each other');
    const marker = head.getUint8(1);
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = head.getUint16(2);
    if (length < 2 || marker === 0xd9 || marker === 0xda) return fail(found, 'a JPEG without a frame header');
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const frame = view(yield { at: at + 4, length: 5 });
      found.height = frame.getUint16(1);
      found.width = frame.getUint16(3);
      return;
    }
    if (marker === 0xe1) {
      const payload = yield { at: at + 4, length: length - 2 };
      if (latin(payload.subarray(0, 6)) === 'Exif\0\0') found.orientation = readOrientation(payload.subarray(6)) ?? 1;
    }
    at += 2 + length;
  }
  fail(found, 'a JPEG with too many markers in front of its picture');
}

/** IHDR, then chunks up to the first IDAT; Exif is in eXIf (PNG 3rd ed. 11.3.2.6). */
function* walkPng(found: FoundPicture): PictureWalk {
  const header = yield { at: 8, length: 16 };
  if (latin(header.subarray(4, 8)) !== 'IHDR') return fail(found, 'a PNG that does not begin with IHDR');
  found.width = view(header).getUint32(8);
  found.height = view(header).getUint32(12);
  let at = 8 + 8 + view(header).getUint32(0) + 4;
  for (let part = 0; part < mostParts; part++) {
    const head = yield { at, length: 8 };
    const length = view(head).getUint32(0);
    const type = latin(head.subarray(4, 8));
    if (type === 'IDAT' || type === 'IEND') return;
    if (type === 'eXIf' && length <= longestPart) {
      found.orientation = readOrientation(yield { at: at + 8, length }) ?? 1;
    }
    at += 12 + length;
  }
}

/** The first chunk has the size; in an extended file Exif comes behind the picture (RFC 9649 2.7). */
function* walkWebp(found: FoundPicture): PictureWalk {
  const head = yield { at: 12, length: 18 };
  const first = latin(head.subarray(0, 4));
  const data = view(head);
  if (first === 'VP8 ') {
    found.width = data.getUint16(14, true) & 0x3fff;
    found.height = data.getUint16(16, true) & 0x3fff;
    return;
  }
  if (first === 'VP8L') {
    const bits = data.getUint32(9, true);
    found.width = (bits & 0x3fff) + 1;
    found.height = ((bits >>> 14) & 0x3fff) + 1;
    return;
  }
  if (first !== 'VP8X') return fail(found, 'a WebP that begins with neither VP8, VP8L nor VP8X');
  const flags = data.getUint8(8);
  if ((flags & 0x02) !== 0) return fail(found, 'an animated WebP; a still picture was expected');
  found.width = (data.getUint32(12, true) & 0xffffff) + 1;
  found.height = (data.getUint32(14, true) >>> 8) + 1;
  if ((flags & 0x08) === 0) return;
  let at = 12 + 18;
  for (let part = 0; part < mostParts; part++) {
    const chunk = yield { at, length: 8 };
    const length = view(chunk).getUint32(4, true);
    if (latin(chunk.subarray(0, 4)) === 'EXIF' && length <= longestPart) {
      const payload = yield { at: at + 8, length };
      const skip = latin(payload.subarray(0, 6)) === 'Exif\0\0' ? 6 : 0;
      found.orientation = readOrientation(payload.subarray(skip)) ?? 1;
      return;
    }
    at += 8 + length + (length & 1);
  }
}

/** The logical screen (GIF89a 18). */
function* walkGif(found: FoundPicture): PictureWalk {
  const screen = view(yield { at: 6, length: 4 });
  found.width = screen.getUint16(0, true);
  found.height = screen.getUint16(2, true);
}

function fail(found: FoundPicture, fault: string): void {
  found.fault ??= fault;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 16));
}

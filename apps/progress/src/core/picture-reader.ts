/**
 * Reads what a picture is while it goes by, without keeping it: its format by its bytes, whatever the client called it, its size and its
 * orientation. What is too large is refused before the rest has come, and long before anybody decodes it.
 */
import { err, ok, type Result } from '@millrace/result';
import { type FoundPicture, formatOf, type PictureWalk, type Range, signatureLength, walkOf } from './picture-walks.ts';

export interface PictureLimits {
  readonly maxBytes: number;
  /** Of either side. */
  readonly maxSide: number;
  readonly maxPixels: number;
}

export interface PictureFacts {
  readonly contentType: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif';
  /** As stored, before `orientation`, pixels. */
  readonly width: number;
  readonly height: number;
  /** EXIF, 1..8. */
  readonly orientation: number;
  readonly sizeBytes: number;
}

export interface PictureRefusal {
  readonly kind: 'not-a-picture' | 'picture-too-large' | 'too-many-pixels';
  readonly reason: string;
}

/** A walk may look again at so many bytes in front of where it was. */
const tailBytes = 16;

/** Takes the bytes of one picture in order, cut in any way. */
export class PictureReader {
  readonly #limits: PictureLimits;
  #offset = 0;
  #want: Range | undefined = { at: 0, length: signatureLength };
  #seen: Uint8Array[] = [];
  #seenBytes = 0;
  #tail = new Uint8Array(0);
  #walk: PictureWalk | undefined;
  #found: FoundPicture | undefined;

  constructor(limits: PictureLimits) {
    this.#limits = limits;
  }

  /** The next bytes; an error: the picture is not taken, the rest need not come. */
  feed(bytes: Uint8Array): Result<void, PictureRefusal> {
    const { maxBytes } = this.#limits;
    const end = this.#offset + bytes.byteLength;
    if (end > maxBytes) {
      return err({ kind: 'picture-too-large', reason: `expected a picture of at most ${maxBytes} bytes, got more` });
    }
    if (this.#want !== undefined) {
      const data = concat([this.#tail, bytes], this.#tail.byteLength + bytes.byteLength);
      const refusal = this.#look(data, this.#offset - this.#tail.byteLength);
      if (refusal !== undefined) return err(refusal);
      this.#tail = data.slice(-tailBytes);
    }
    this.#offset = end;
    return ok();
  }

  /** Gives the walk what it wants of `data`, which begins at `base`. */
  #look(data: Uint8Array, base: number): PictureRefusal | undefined {
    const end = base + data.byteLength;
    for (let want = this.#want; want !== undefined && end > want.at + this.#seenBytes; want = this.#want) {
      const from = want.at + this.#seenBytes;
      const piece = data.slice(from - base, want.at + want.length - base);
      this.#seen.push(piece);
      this.#seenBytes += piece.byteLength;
      if (this.#seenBytes < want.length) return undefined;
      const refusal = this.#step(concat(this.#seen, this.#seenBytes));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** There are no more bytes. */
  end(): Result<PictureFacts, PictureRefusal> {
    const found = this.#found;
    if (found === undefined || found.width === 0 || found.height === 0) {
      return err(notAPicture(found === undefined ? 'too few bytes' : `a ${found.format} without a size`));
    }
    const { format, width, height, orientation } = found;
    return ok({ contentType: `image/${format}`, width, height, orientation, sizeBytes: this.#offset });
  }

  #step(wanted: Uint8Array): PictureRefusal | undefined {
    this.#seen = [];
    this.#seenBytes = 0;
    if (this.#walk === undefined) {
      const format = formatOf(wanted);
      if (format === undefined) return notAPicture('something else');
      this.#found = { format, width: 0, height: 0, orientation: 1, fault: undefined };
      this.#walk = walkOf(this.#found);
      const first = this.#walk.next();
      this.#want = first.done === true ? undefined : first.value;
      return undefined;
    }
    const next = this.#walk.next(wanted);
    this.#want = next.done === true ? undefined : next.value;
    const { fault } = this.#found ?? {};
    return fault === undefined ? this.#beyondLimits() : notAPicture(fault);
  }

  #beyondLimits(): PictureRefusal | undefined {
    const { maxSide, maxPixels } = this.#limits;
    const { width, height } = this.#found ?? { width: 0, height: 0 };
    if (width <= maxSide && height <= maxSide && width * height <= maxPixels) return undefined;
    const reason = `expected at most ${maxSide} pixels a side and ${maxPixels} in all, got ${width}x${height}`;
    return { kind: 'too-many-pixels', reason };
  }
}

function notAPicture(what: string): PictureRefusal {
  return { kind: 'not-a-picture', reason: `expected a JPEG, PNG, WebP or GIF picture, got ${what}` };
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

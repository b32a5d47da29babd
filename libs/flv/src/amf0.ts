/**
 * AMF0 (Adobe, 2007): the values of RTMP commands and script tags. The reader is for hostile bytes: depth, number of
 * values and string length are bounded, references and AMF3 are refused, and objects have no prototype.
 */
import { err, ok, type Result } from '@millrace/result';

export type AmfValue = number | boolean | string | null | undefined | AmfDate | readonly AmfValue[] | AmfObject;
/** A date, ms since 1970. */
export interface AmfDate {
  readonly dateMs: number;
}
/** An anonymous or typed object or an ECMA array, as a prototype-less record. */
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

export interface AmfLimits {
  /** Objects and arrays within each other. */
  readonly maxDepth: number;
  /** Values in all, nested ones included. */
  readonly maxValues: number;
  readonly maxStringBytes: number;
}

export const defaultAmfLimits: AmfLimits = { maxDepth: 8, maxValues: 1_000, maxStringBytes: 8_192 };

export type AmfError =
  | { readonly kind: 'malformed-amf'; readonly message: string }
  | { readonly kind: 'amf-limit'; readonly message: string };

class AmfFault extends Error {
  readonly kind: AmfError['kind'];
  constructor(kind: AmfError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Reads all values in `bytes`. */
export function readAmf0(
  bytes: Uint8Array,
  limits: AmfLimits = defaultAmfLimits,
): Result<readonly AmfValue[], AmfError> {
  const cursor = new AmfCursor(bytes, limits);
  try {
    const values: AmfValue[] = [];
    while (!cursor.atEnd) values.push(cursor.value(0));
    return ok(values);
  } catch (error) {
    // A private way out of the recursion; anything else is a bug.
    if (error instanceof AmfFault) return err({ kind: error.kind, message: error.message });
    throw error;
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

class AmfCursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #limits: AmfLimits;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array, limits: AmfLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): AmfValue {
    if (++this.#values > this.#limits.maxValues)
      throw new AmfFault('amf-limit', `more than ${this.#limits.maxValues} values`);
    const marker = this.#view.getUint8(this.#advance(1));
    switch (marker) {
      case 0x00:
        return this.#view.getFloat64(this.#advance(8));
      case 0x01:
        return this.#view.getUint8(this.#advance(1)) !== 0;
      case 0x02:
        return this.#text(this.#view.getUint16(this.#advance(2)));
      case 0x03:
        return this.#object(depth);
      case 0x05:
        return null;
      case 0x06:
      case 0x0d: // unsupported
        return undefined;
      case 0x08:
        this.#advance(4); // the count is a hint; the end mark counts
        return this.#object(depth);
      case 0x0a:
        return this.#strictArray(depth);
      case 0x0b: {
        const dateMs = this.#view.getFloat64(this.#advance(8));
        this.#advance(2); // time zone: reserved
        return { dateMs };
      }
      case 0x0c:
      case 0x0f: // XML, as its text
        return this.#text(this.#view.getUint32(this.#advance(4)));
      case 0x10:
        this.#text(this.#view.getUint16(this.#advance(2))); // class name
        return this.#object(depth);
      default:
        throw new AmfFault('malformed-amf', `expected an AMF0 marker, got 0x${marker.toString(16)} at ${this.#at - 1}`);
    }
  }

  #object(depth: number): AmfObject {
    this.#enter(depth);
    const object: Record<string, AmfValue> = Object.create(null);
    for (;;) {
      const key = this.#text(this.#view.getUint16(this.#advance(2)));
      if (key === '' && this.#bytes[this.#at] === 0x09) {
        this.#at++;
        return object;
      }
      object[key] = this.value(depth + 1);
    }
  }

  #strictArray(depth: number): readonly AmfValue[] {
    this.#enter(depth);
    const count = this.#view.getUint32(this.#advance(4));
    const array: AmfValue[] = [];
    for (let i = 0; i < count; i++) array.push(this.value(depth + 1));
    return array;
  }

  #enter(depth: number): void {
    if (depth >= this.#limits.maxDepth) throw new AmfFault('amf-limit', `deeper than ${this.#limits.maxDepth}`);
  }

  #text(length: number): string {
    if (length > this.#limits.maxStringBytes) {
      throw new AmfFault('amf-limit', `a string of ${length} bytes, at most ${this.#limits.maxStringBytes} are taken`);
    }
    const start = this.#advance(length);
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  /** Moves on by `count` bytes and returns where they start. */
  #advance(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) throw new AmfFault('malformed-amf', `the values end early, at ${start}`);
    this.#at += count;
    return start;
  }
}

/** Writes `values` one after another. Strings over 65,535 bytes become long strings. */
export function writeAmf0(values: readonly AmfValue[]): Uint8Array {
  const out: number[] = [];
  for (const value of values) write(out, value);
  return Uint8Array.from(out);
}

function write(out: number[], value: AmfValue): void {
  if (value === null) out.push(0x05);
  else if (value === undefined) out.push(0x06);
  else if (typeof value === 'number') out.push(0x00, ...float64(value));
  else if (typeof value === 'boolean') out.push(0x01, value ? 1 : 0);
  else if (typeof value === 'string') writeText(out, value);
  else if (isArray(value)) {
    out.push(0x0a, ...uint32(value.length));
    for (const item of value) write(out, item);
  } else if (isDate(value)) out.push(0x0b, ...float64(value.dateMs), 0, 0);
  else {
    out.push(0x03);
    for (const [key, item] of Object.entries(value)) {
      const bytes = encoder.encode(key).subarray(0, 0xffff);
      out.push(bytes.length >> 8, bytes.length & 0xff, ...bytes);
      write(out, item);
    }
    out.push(0, 0, 0x09);
  }
}

function writeText(out: number[], text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length > 0xffff) out.push(0x0c, ...uint32(bytes.length));
  else out.push(0x02, bytes.length >> 8, bytes.length & 0xff);
  for (const byte of bytes) out.push(byte);
}

function isArray(value: AmfValue): value is readonly AmfValue[] {
  return Array.isArray(value);
}

function isDate(value: AmfDate | AmfObject): value is AmfDate {
  return typeof value['dateMs'] === 'number' && Object.keys(value).length === 1;
}

function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function uint32(value: number): readonly number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

import { err, ok, type Result } from '@millrace/result';
import { type FlvError, flvError } from './flv-error.ts';
import type { MediaTag } from './media-tag.ts';
import { Slab } from './slab.ts';
import { headBytesOf, parseTagBody, type TagType } from './tag-body.ts';
import { createTimestampUnwrapper, type TimestampUnwrapper } from './timestamp-unwrapper.ts';

export interface FlvReaderOptions {
  /** Unwrapped time of the first tag, ms; without it the first timestamp stands for itself. */
  readonly firstTimestampMs?: number;
  /** Longest tag body that is taken, bytes. */
  readonly maxTagBytes?: number;
}

type State =
  | { readonly kind: 'file-header' }
  | { readonly kind: 'skip'; left: number }
  | { readonly kind: 'previous-size' }
  | { readonly kind: 'tag-header' }
  | { readonly kind: 'body-head'; readonly type: TagType; readonly timestampMs: number; readonly size: number }
  | {
      readonly kind: 'payload';
      readonly type: TagType;
      readonly timestampMs: number;
      readonly head: Uint8Array;
      readonly payload: Uint8Array;
      filled: number;
    }
  | { readonly kind: 'broken'; readonly error: FlvError };

/**
 * Streaming demuxer of an FLV byte stream. Any fragmentation of the same bytes gives the same tags. Payloads are copied
 * once, into one slab a track, so that consecutive frames of a track lie side by side. Tags of other codecs are skipped
 * and counted; a broken stream stays broken.
 */
export class FlvReader {
  readonly #maxTagBytes: number;
  readonly #unwrapper: TimestampUnwrapper;
  readonly #slabs = { 8: new Slab(65_536), 9: new Slab(), 18: new Slab(4_096) } as const;
  /** Collects the few bytes of a header that arrives in pieces. */
  readonly #scratch = new Uint8Array(16);
  #scratched = 0;
  #previousSize = 0;
  #state: State = { kind: 'file-header' };
  #skipped = 0;

  constructor(options: FlvReaderOptions = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? 4 * 1024 * 1024;
    this.#unwrapper = createTimestampUnwrapper(options.firstTimestampMs);
  }

  /** Tags that were well framed but carried nothing we know (other codecs, garbage bodies). */
  get skipped(): number {
    return this.#skipped;
  }

  /** Takes the next bytes of the stream and returns the tags they complete. */
  feed(bytes: Uint8Array): Result<readonly MediaTag[], FlvError> {
    const tags: MediaTag[] = [];
    let at = 0;
    while (this.#state.kind !== 'broken') {
      const next = this.#step(bytes, at, tags);
      if (next === undefined) return ok(tags);
      at = next;
    }
    return tags.length > 0 ? ok(tags) : err(this.#state.error);
  }

  /** Does one step at `at`; returns where it got to, or undefined when it needs more bytes than there are. */
  #step(bytes: Uint8Array, at: number, tags: MediaTag[]): number | undefined {
    const state = this.#state;
    switch (state.kind) {
      case 'file-header':
        return this.#collect(bytes, at, 9, (header) => this.#onFileHeader(header));
      case 'skip': {
        const taken = Math.min(state.left, bytes.length - at);
        state.left -= taken;
        if (state.left > 0) return undefined;
        this.#state = { kind: 'previous-size' };
        return at + taken;
      }
      case 'previous-size':
        return this.#collect(bytes, at, 4, (field) => this.#onPreviousSize(field));
      case 'tag-header':
        return this.#collect(bytes, at, 11, (header) => this.#onTagHeader(header));
      case 'body-head':
        return this.#collect(bytes, at, Math.min(headBytesOf(state.type), state.size), (head) => {
          const payload = this.#slabs[state.type].take(state.size - head.length);
          const { type, timestampMs } = state;
          this.#state = { kind: 'payload', type, timestampMs, head: head.slice(), payload, filled: 0 };
        });
      case 'payload': {
        const taken = Math.min(state.payload.length - state.filled, bytes.length - at);
        state.payload.set(bytes.subarray(at, at + taken), state.filled);
        state.filled += taken;
        if (state.filled < state.payload.length) return undefined;
        const tag = parseTagBody(state.type, state.timestampMs, state.head, state.payload);
        if (tag.ok) tags.push(tag.value);
        else this.#skipped++;
        this.#state = { kind: 'previous-size' };
        return at + taken;
      }
      case 'broken':
        return undefined;
    }
  }

  /** Hands `count` consecutive bytes to `use`, from `bytes` itself when they are all there. */
  #collect(bytes: Uint8Array, at: number, count: number, use: (bytes: Uint8Array) => void): number | undefined {
    const missing = count - this.#scratched;
    if (bytes.length - at < missing) {
      this.#scratch.set(bytes.subarray(at), this.#scratched);
      this.#scratched += bytes.length - at;
      return undefined;
    }
    if (this.#scratched === 0) use(bytes.subarray(at, at + count));
    else {
      this.#scratch.set(bytes.subarray(at, at + missing), this.#scratched);
      this.#scratched = 0;
      use(this.#scratch.subarray(0, count));
    }
    return at + missing;
  }

  #onFileHeader(header: Uint8Array): void {
    if (header[0] !== 0x46 || header[1] !== 0x4c || header[2] !== 0x56 || header[3] !== 1) {
      return this.#break('malformed', 'expected the signature of FLV version 1');
    }
    const offset = readUint32(header, 5);
    if (offset < 9 || offset > 1_024) return this.#break('malformed', `expected a header of 9 bytes, got ${offset}`);
    this.#state = offset === 9 ? { kind: 'previous-size' } : { kind: 'skip', left: offset - 9 };
  }

  #onPreviousSize(field: Uint8Array): void {
    const size = readUint32(field, 0);
    if (size !== this.#previousSize) {
      return this.#break('malformed', `expected a previous-tag size of ${this.#previousSize}, got ${size}`);
    }
    this.#state = { kind: 'tag-header' };
  }

  #onTagHeader(header: Uint8Array): void {
    const type = header[0];
    const size = readUint24(header, 1);
    if (type !== 8 && type !== 9 && type !== 18) {
      return this.#break('malformed', `expected a tag of type 8, 9 or 18, got ${type}`);
    }
    if (size > this.#maxTagBytes) {
      return this.#break('too-large', `a tag of ${size} bytes, at most ${this.#maxTagBytes} are taken`);
    }
    this.#previousSize = size + 11;
    const timestampMs = this.#unwrapper.unwrap((((header[7] ?? 0) << 24) | readUint24(header, 4)) >>> 0);
    this.#state = { kind: 'body-head', type, timestampMs, size };
  }

  #break(kind: FlvError['kind'], message: string): void {
    this.#state = { kind: 'broken', error: flvError(kind, message) };
  }
}

function readUint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | readUint24(bytes, at + 1)) >>> 0;
}

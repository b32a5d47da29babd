import { err, ok, type Result } from '@millrace/result';
import { boxType, viewOf } from './box.ts';
import type { SampleDefaults } from './init-reader.ts';
import { type PartFacts, readMoof } from './moof-reader.ts';
import type { CmafError } from './track-format.ts';

/** A whole part as it came: `bytes` are what stood on the wire, in memory of their own (the mdat's media is one slice). */
export interface CmafPart extends PartFacts {
  readonly bytes: readonly Uint8Array[];
  /** A styp stood in front. */
  readonly segmentStart: boolean;
}

export interface CmafReaderOptions {
  /** Longest mdat that is taken, bytes. */
  readonly maxPartBytes?: number;
  /** Of the init section; ours put everything into each part. */
  readonly defaults?: SampleDefaults;
}

const maxHeadBytes = 256 * 1024;
const skippable: ReadonlySet<string> = new Set(['styp', 'prft', 'emsg', 'sidx', 'free', 'uuid']);

/**
 * Streaming reader of parts: `([styp|prft|emsg|sidx|free|uuid]* moof mdat)*`. Any fragmentation gives the same parts.
 * A part is handed out when its last byte is there; what is buffered is at most one part. A broken stream stays broken.
 */
export class CmafReader {
  readonly #maxPartBytes: number;
  readonly #defaults: SampleDefaults;
  /** Bytes in front of the media: boxes so far, and the beginning of the one that arrives. */
  #head = new Uint8Array(1_024);
  #headLength = 0;
  #boxStart = 0;
  #segmentStart = false;
  #facts: PartFacts | undefined;
  #media: Uint8Array | undefined;
  #mediaFilled = 0;
  #error: CmafError | undefined;

  constructor(options: CmafReaderOptions = {}) {
    this.#maxPartBytes = options.maxPartBytes ?? 16 * 1024 * 1024;
    this.#defaults = options.defaults ?? { durationTicks: 0, size: 0, flags: 0 };
  }

  /** Nothing of a further part has arrived: the stream may end here. */
  get atBoundary(): boolean {
    return this.#error === undefined && this.#headLength === 0 && this.#media === undefined;
  }

  /** Takes the next bytes and returns the parts they complete; a fault comes after the parts in front of it. */
  feed(bytes: Uint8Array): Result<readonly CmafPart[], CmafError> {
    const parts: CmafPart[] = [];
    let at = 0;
    while (this.#error === undefined && at < bytes.length) {
      at = this.#media === undefined ? this.#feedHead(bytes, at) : this.#feedMedia(bytes, at);
      if (this.#media !== undefined && this.#mediaFilled === this.#media.length) parts.push(this.#finish(this.#media));
    }
    return this.#error !== undefined && parts.length === 0 ? err(this.#error) : ok(parts);
  }

  /** Collects the current box: its 8 header bytes first, then, unless it is the mdat, the rest. */
  #feedHead(bytes: Uint8Array, at: number): number {
    const have = this.#headLength - this.#boxStart;
    const size = have < 8 ? 8 : viewOf(this.#head).getUint32(this.#boxStart);
    const taken = Math.min(size - have, bytes.length - at);
    this.#append(bytes.subarray(at, at + taken));
    if (have + taken < size) return at + taken;
    if (have < 8) this.#onBoxHeader();
    else this.#onBox(size);
    return at + taken;
  }

  #onBoxHeader(): void {
    const size = viewOf(this.#head).getUint32(this.#boxStart);
    const type = boxType(this.#head, this.#boxStart);
    if (type === 'mdat') {
      const facts = this.#facts;
      if (facts === undefined) return this.#break('malformed', 'expected a moof in front of the mdat');
      if (size !== facts.mediaBytes + 8) {
        return this.#break('malformed', `expected an mdat of ${facts.mediaBytes + 8} bytes, got ${size}`);
      }
      if (size > this.#maxPartBytes) {
        return this.#break('too-large', `an mdat of ${size} bytes, at most ${this.#maxPartBytes} are taken`);
      }
      this.#media = new Uint8Array(size - 8);
      this.#mediaFilled = 0;
    } else if (this.#facts !== undefined || (type !== 'moof' && !skippable.has(type))) {
      this.#break('malformed', `expected ${this.#facts ? 'mdat' : 'moof'}, got box "${printable(type)}"`);
    } else if (size < 8 || this.#boxStart + size > maxHeadBytes) {
      this.#break(
        'too-large',
        `a box "${type}" of ${size} bytes, at most ${maxHeadBytes} are taken in front of the media`,
      );
    } else if (size === 8) this.#onBox(size);
  }

  #onBox(size: number): void {
    const whole = this.#head.subarray(this.#boxStart, this.#boxStart + size);
    const type = boxType(whole, 0);
    if (type === 'styp') this.#segmentStart = true;
    if (type === 'moof') {
      const facts = readMoof(whole, this.#defaults);
      if (!facts.ok) return this.#break(facts.error.kind, facts.error.message);
      this.#facts = facts.value;
    }
    this.#boxStart += size;
  }

  #feedMedia(bytes: Uint8Array, at: number): number {
    const media = this.#media;
    if (media === undefined) return at;
    const taken = Math.min(media.length - this.#mediaFilled, bytes.length - at);
    media.set(bytes.subarray(at, at + taken), this.#mediaFilled);
    this.#mediaFilled += taken;
    return at + taken;
  }

  #finish(media: Uint8Array): CmafPart {
    if (this.#facts === undefined) throw new Error('a part without its moof');
    const head = this.#head.slice(0, this.#headLength);
    const bytes = media.length === 0 ? [head] : [head, media];
    const part: CmafPart = { ...this.#facts, bytes, segmentStart: this.#segmentStart };
    this.#headLength = 0;
    this.#boxStart = 0;
    this.#segmentStart = false;
    this.#facts = undefined;
    this.#media = undefined;
    return part;
  }

  #append(bytes: Uint8Array): void {
    if (this.#headLength + bytes.length > this.#head.length) {
      const grown = new Uint8Array((this.#headLength + bytes.length) * 2);
      grown.set(this.#head.subarray(0, this.#headLength));
      this.#head = grown;
    }
    this.#head.set(bytes, this.#headLength);
    this.#headLength += bytes.length;
  }

  #break(kind: CmafError['kind'], message: string): void {
    this.#error = { kind, message };
  }
}

function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, '?');
}

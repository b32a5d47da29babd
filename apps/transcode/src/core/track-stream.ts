import { type CmafError, type CmafPart, CmafReader, type InitSection, readInitSection } from '@millrace/cmaf';
import { err, ok, type Result } from '@millrace/result';

export type TrackPiece =
  | { readonly kind: 'init'; readonly bytes: Uint8Array; readonly section: InitSection }
  | { readonly kind: 'part'; readonly part: CmafPart };

const longestInit = 64 * 1024;
/** A segment of 12 s at 40 Mbit/s. */
const longestPart = 64 * 1024 * 1024;

/** Reader of one track as an encoder writes it: `ftyp moov (moof mdat)*`. Any fragmentation gives the same pieces. */
export class TrackStream {
  #head = new Uint8Array(0);
  #parts: CmafReader | undefined;

  /** The init section was read and no part is half there. */
  get atEnd(): boolean {
    return this.#parts?.atBoundary ?? false;
  }

  feed(bytes: Uint8Array): Result<readonly TrackPiece[], CmafError> {
    if (this.#parts !== undefined) return partsOf(this.#parts.feed(bytes));
    const head = new Uint8Array(this.#head.length + bytes.length);
    head.set(this.#head);
    head.set(bytes, this.#head.length);
    this.#head = head;
    const length = initLength(head);
    if (length === undefined || length > longestInit) {
      return err({ kind: 'malformed', message: `expected ftyp and moov of at most ${longestInit} bytes` });
    }
    if (length === 0 || length > head.length) return ok([]);
    const init = head.slice(0, length);
    const section = readInitSection(init);
    if (!section.ok) return section;
    this.#parts = new CmafReader({ maxPartBytes: longestPart, defaults: section.value.defaults });
    this.#head = new Uint8Array(0);
    const rest = partsOf(this.#parts.feed(head.subarray(length)));
    return rest.ok ? ok([{ kind: 'init', bytes: init, section: section.value }, ...rest.value]) : rest;
  }
}

/** Length of everything up to the end of the moov; 0: its header is not there yet; undefined: this is no init section. */
function initLength(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < 8 || (at === 0 && type !== 'ftyp')) return undefined;
    if (type === 'moov') return at + size;
    if (at + size > longestInit) return undefined;
    at += size;
  }
  return 0;
}

function partsOf(fed: Result<readonly CmafPart[], CmafError>): Result<readonly TrackPiece[], CmafError> {
  return fed.ok ? ok(fed.value.map((part) => ({ kind: 'part', part }))) : fed;
}

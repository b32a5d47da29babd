/** Reads AAC frames out of ADTS (ISO 13818-7 6.2), as ffmpeg writes it: any fragmentation gives the same frames. Pure. */

const headerBytes = 7;

export class AdtsReader {
  #rest = new Uint8Array(0);
  #config: Uint8Array | undefined;

  /** AudioSpecificConfig of the first frame; undefined: none yet. */
  get config(): Uint8Array | undefined {
    return this.#config;
  }

  /** The frames that these bytes complete, without their headers, in memory of their own. Throws where no frame begins. */
  feed(bytes: Uint8Array): readonly Uint8Array[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at + headerBytes <= all.length) {
      const [sync = 0, flags = 0, format = 0, high = 0, middle = 0, low = 0] = all.subarray(at, at + headerBytes);
      if (sync !== 0xff || (flags & 0xf6) !== 0xf0) throw new Error('expected an ADTS frame, got something else');
      const header = (flags & 1) === 1 ? headerBytes : headerBytes + 2;
      const length = ((high & 3) << 11) | (middle << 3) | (low >> 5);
      if (length <= header) throw new Error(`expected an ADTS frame with sound in it, got ${length} bytes`);
      if (at + length > all.length) break;
      this.#config ??= configOf(format, high);
      frames.push(all.slice(at + header, at + length));
      at += length;
    }
    this.#rest = all.slice(at);
    return frames;
  }
}

/** Object type, sampling frequency index, channel configuration. */
function configOf(format: number, high: number): Uint8Array {
  const objectType = (format >> 6) + 1;
  const frequency = (format >> 2) & 15;
  const channels = ((format & 1) << 2) | (high >> 6);
  return Uint8Array.of((objectType << 3) | (frequency >> 1), ((frequency & 1) << 7) | (channels << 3));
}

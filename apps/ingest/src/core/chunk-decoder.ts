/**
 * The RTMP chunk stream (Adobe RTMP 1.0, 5.3) as a streaming validator: bytes come in any fragmentation, message bodies
 * are copied once, to where the sink says. It never allocates for a claimed length before the sink has agreed.
 */
import { type ByteBudget } from './byte-budget.ts';
import { ChunkStream } from './chunk-stream.ts';
import { type GuardFault, guardFault } from './guard-fault.ts';
import { type BodyPlan, type MessageHead, messageType } from './rtmp-message.ts';

export interface ChunkLimits {
  readonly minChunkBytes: number;
  readonly maxChunkBytes: number;
  readonly maxChunkStreams: number;
}

/** Where messages go. */
export interface MessageSink {
  /** Whether a message of this type and length may come now; asked before any memory is claimed for it. */
  refuse(head: MessageHead): GuardFault | undefined;
  /** It begins: says where the body goes. */
  begin(head: MessageHead): BodyPlan;
  /** It is whole. `head` is only valid during the call. */
  complete(message: MessageHead, head: Uint8Array, payload: Uint8Array): GuardFault | undefined;
}

/** Message header bytes by chunk type: absolute, same stream, same length, continuation. */
const messageHeaderBytes = [11, 7, 3, 0] as const;
const extendedMark = 0xffffff;
const controlPlan = (length: number): BodyPlan => ({ headBytes: 0, payload: new Uint8Array(length), skip: false });

export class ChunkDecoder {
  readonly #sink: MessageSink;
  readonly #limits: ChunkLimits;
  readonly #budget: ByteBudget;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = new Uint8Array(18);
  readonly #view = new DataView(this.#header.buffer);
  #have = 0;
  #chunkBytes = 128;
  /** The chunk stream whose chunk body is being read, and how much of that chunk is missing. */
  #current: ChunkStream | undefined;
  #chunkLeft = 0;
  #fault: GuardFault | undefined;

  constructor(sink: MessageSink, limits: ChunkLimits, budget: ByteBudget) {
    this.#sink = sink;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Takes bytes from `from` on; after a fault it takes nothing more and repeats that fault. */
  push(bytes: Uint8Array, from = 0): GuardFault | undefined {
    let at = from;
    while (at < bytes.length && this.#fault === undefined) {
      const stream = this.#current;
      if (stream === undefined) {
        this.#header[this.#have++] = bytes[at++] ?? 0;
        const need = this.#headerBytesNeeded();
        if (this.#have >= need) this.#stop(this.#beginChunk());
      } else {
        const count = Math.min(this.#chunkLeft, bytes.length - at);
        stream.write(bytes, at, count);
        at += count;
        this.#chunkLeft -= count;
        if (this.#chunkLeft === 0) this.#stop(this.#endChunk(stream));
      }
    }
    return this.#fault;
  }

  /** Gives back what unfinished messages have claimed. */
  close(): void {
    for (const stream of this.#streams.values()) this.#release(stream);
    this.#streams.clear();
    this.#current = undefined;
    this.#fault ??= guardFault('bad-chunk', 'the connection is closed');
  }

  /** A fault stays; `close` may have been called from within a message. */
  #stop(fault: GuardFault | undefined): void {
    this.#fault ??= fault;
  }

  /** Bytes of the present chunk's header, as far as the bytes so far tell; more than `#have` means: read on. */
  #headerBytesNeeded(): number {
    const basic = this.#basicBytes();
    if (this.#have < basic) return basic;
    const format = (this.#header[0] ?? 0) >> 6;
    const plain = basic + (messageHeaderBytes[format] ?? 0);
    if (this.#have < plain) return plain;
    const extended =
      format === 3
        ? (this.#streams.get(this.#chunkStreamId())?.extended ?? false)
        : this.#uint24(basic) === extendedMark;
    return extended ? plain + 4 : plain;
  }

  #basicBytes(): number {
    const low = (this.#header[0] ?? 0) & 0x3f;
    return low === 0 ? 2 : low === 1 ? 3 : 1;
  }

  #chunkStreamId(): number {
    const low = (this.#header[0] ?? 0) & 0x3f;
    if (low === 0) return 64 + (this.#header[1] ?? 0);
    if (low === 1) return 64 + (this.#header[1] ?? 0) + 256 * (this.#header[2] ?? 0);
    return low;
  }

  #uint24(at: number): number {
    return (this.#view.getUint8(at) << 16) | this.#view.getUint16(at + 1);
  }

  #beginChunk(): GuardFault | undefined {
    const format = (this.#header[0] ?? 0) >> 6;
    const id = this.#chunkStreamId();
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      // librtmp opens chunk stream 2 with format 1, so that is allowed; 2 and 3 would have no length.
      if (format > 1) return guardFault('bad-chunk', `chunk stream ${id} begins with chunk type ${format}`);
      if (this.#streams.size >= this.#limits.maxChunkStreams) {
        return guardFault('chunk-streams', `more than ${this.#limits.maxChunkStreams} chunk streams`);
      }
      stream = new ChunkStream();
      this.#streams.set(id, stream);
    }
    const basic = this.#basicBytes();
    if (stream.open) {
      if (format !== 3) return guardFault('bad-chunk', `chunk type ${format} inside a message of chunk stream ${id}`);
    } else {
      this.#readMessageHeader(stream, format, basic);
      const fault = this.#beginMessage(stream);
      if (fault !== undefined) return fault;
    }
    this.#have = 0;
    this.#chunkLeft = Math.min(this.#chunkBytes, stream.left);
    this.#current = stream;
    return this.#chunkLeft === 0 ? this.#endChunk(stream) : undefined;
  }

  #readMessageHeader(stream: ChunkStream, format: number, basic: number): void {
    if (format <= 2) {
      const field = this.#uint24(basic);
      stream.extended = field === extendedMark;
      stream.timeField = field;
    }
    if (format <= 1) {
      stream.length = this.#uint24(basic + 3);
      stream.type = this.#view.getUint8(basic + 6);
    }
    if (format === 0) stream.streamId = this.#view.getUint32(basic + 7, true);
    // A type 3 chunk repeats the extended field (5.3.1.3); as the start of a message it adds it, absolute or not.
    if (stream.extended) stream.timeField = this.#view.getUint32(basic + (messageHeaderBytes[format] ?? 0));
    stream.timestamp = (format === 0 ? stream.timeField : stream.timestamp + stream.timeField) >>> 0;
  }

  #beginMessage(stream: ChunkStream): GuardFault | undefined {
    const own = stream.type === messageType.setChunkSize || stream.type === messageType.abort;
    if (own && stream.length !== 4) {
      return guardFault('bad-control', `expected 4 bytes in a message of type ${stream.type}, got ${stream.length}`);
    }
    const refused = own ? undefined : this.#sink.refuse(stream);
    if (refused !== undefined) return refused;
    if (!this.#budget.reserve(stream.length)) {
      return guardFault(
        'buffer-limit',
        `a message of ${stream.length} bytes over ${this.#budget.used} unfinished ones`,
      );
    }
    const plan = own ? controlPlan(4) : this.#sink.begin(stream);
    stream.begin(plan);
    return undefined;
  }

  #endChunk(stream: ChunkStream): GuardFault | undefined {
    this.#current = undefined;
    if (stream.left > 0) return undefined;
    const { payload, skip } = stream.body;
    this.#release(stream);
    if (stream.type === messageType.setChunkSize) return this.#setChunkSize(payload);
    if (stream.type === messageType.abort) return this.#abort(payload);
    return skip ? undefined : this.#sink.complete(stream, stream.headBytes, payload);
  }

  #setChunkSize(payload: Uint8Array): GuardFault | undefined {
    const size = uint32(payload);
    if (size < this.#limits.minChunkBytes || size > this.#limits.maxChunkBytes) {
      const range = `${this.#limits.minChunkBytes} to ${this.#limits.maxChunkBytes}`;
      return guardFault('chunk-size', `expected a chunk size of ${range} bytes, got ${size}`);
    }
    this.#chunkBytes = size;
    return undefined;
  }

  /** Abort (5.4.2): forget the unfinished message of that chunk stream, if there is one. */
  #abort(payload: Uint8Array): GuardFault | undefined {
    const stream = this.#streams.get(uint32(payload));
    if (stream !== undefined) this.#release(stream);
    return undefined;
  }

  #release(stream: ChunkStream): void {
    if (!stream.open) return;
    stream.end();
    this.#budget.release(stream.length);
  }
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/** What one connection may make this process do. Every field is a bound that a test crosses. */
export interface GuardLimits {
  /** Accepted values of Set Chunk Size, bytes. */
  readonly minChunkBytes: number;
  readonly maxChunkBytes: number;
  /** Longest audio or video message, bytes. */
  readonly maxMediaBytes: number;
  /** Longest data message (onMetaData), bytes. */
  readonly maxDataBytes: number;
  /** Longest command message, bytes. */
  readonly maxCommandBytes: number;
  /** Distinct chunk stream ids of a connection. */
  readonly maxChunkStreams: number;
  /** Claimed bytes of unfinished messages before the publish was authorised. */
  readonly maxBufferedBytesBeforePublish: number;
  /** The same afterwards. */
  readonly maxBufferedBytes: number;
  /** Commands of a connection before its publish was authorised; afterwards the same number more. */
  readonly maxCommands: number;
  /** createStream commands of a connection. */
  readonly maxMessageStreams: number;
  readonly amf: { readonly maxDepth: number; readonly maxValues: number; readonly maxStringBytes: number };
  /** Longest stream key, characters. */
  readonly maxKeyLength: number;
}

const kib = 1024;
const mib = 1024 * kib;

export const defaultGuardLimits: GuardLimits = {
  minChunkBytes: 128,
  maxChunkBytes: 65_536,
  maxMediaBytes: 4 * mib,
  maxDataBytes: 64 * kib,
  maxCommandBytes: 16 * kib,
  maxChunkStreams: 16,
  maxBufferedBytesBeforePublish: 64 * kib,
  maxBufferedBytes: 8 * mib,
  maxCommands: 64,
  maxMessageStreams: 8,
  amf: { maxDepth: 6, maxValues: 256, maxStringBytes: 4 * kib },
  maxKeyLength: 128,
};

/** One track as its init section declares it. Times of its parts are in ticks of `timescale`. */
export type TrackFormat = VideoTrackFormat | AudioTrackFormat;

export interface VideoTrackFormat {
  readonly kind: 'video';
  readonly trackId: number;
  readonly timescale: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** AVCDecoderConfigurationRecord. */
  readonly avcConfig: Uint8Array;
}

export interface AudioTrackFormat {
  readonly kind: 'audio';
  readonly trackId: number;
  /** The sample rate of the AAC core. */
  readonly timescale: number;
  readonly channels: number;
  /** AudioSpecificConfig. */
  readonly audioConfig: Uint8Array;
}

/** Why bytes are no CMAF we take; the message says what was expected and what came. */
export type CmafError =
  | { readonly kind: 'malformed'; readonly message: string }
  /** Over a bound that protects memory. */
  | { readonly kind: 'too-large'; readonly message: string };

/** Flags of a sample (ISO 14496-12 8.8.3.1): a sync sample depends on no other, the rest do and are not sync. */
export const sampleFlags = { sync: 0x0200_0000, dependent: 0x0101_0000 } as const;
export const nonSyncBit = 0x0001_0000;

/**
 * One decoded FLV tag (Adobe FLV 10.1, annex E): what ingest hands to a transcode worker. RTMP messages of type 8, 9 and
 * 18 have the same bodies, so this is also one media message of a publisher.
 *
 * `timestampMs` is the decode time, unwrapped beyond 32 bits by whoever reads the wire, and otherwise as the encoder sent
 * it: it may jump. Byte arrays are views of a slab that is never written again; payloads of consecutive frames of one kind
 * usually lie side by side in it, so that a part's mdat can be one slice.
 */
export type MediaTag = VideoConfig | VideoFrame | AudioConfig | AudioFrame | DataTag | EndOfSequence;

/** AVC sequence header. `record` is the AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1). */
export interface VideoConfig {
  readonly kind: 'video-config';
  readonly codec: 'avc';
  readonly timestampMs: number;
  readonly record: Uint8Array;
}

/** One access unit in decode order. `payload` is length-prefixed NAL units. */
export interface VideoFrame {
  readonly kind: 'video-frame';
  readonly timestampMs: number;
  /** PTS - DTS, ms, signed. */
  readonly compositionMs: number;
  readonly keyframe: boolean;
  readonly payload: Uint8Array;
}

/** AAC sequence header. `record` is the AudioSpecificConfig (ISO 14496-3 1.6.2.1). */
export interface AudioConfig {
  readonly kind: 'audio-config';
  readonly codec: 'aac';
  readonly timestampMs: number;
  readonly record: Uint8Array;
}

/** One raw AAC frame, without ADTS. */
export interface AudioFrame {
  readonly kind: 'audio-frame';
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

/** A script or data message (onMetaData, cue points) as its AMF0 bytes. */
export interface DataTag {
  readonly kind: 'data';
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

/** The encoder's own end mark of one track (AVC packet type 2). */
export interface EndOfSequence {
  readonly kind: 'end-of-sequence';
  readonly track: 'video' | 'audio';
  readonly timestampMs: number;
}

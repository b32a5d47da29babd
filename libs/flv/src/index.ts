export {
  type AmfDate,
  type AmfError,
  type AmfLimits,
  type AmfObject,
  type AmfValue,
  defaultAmfLimits,
  readAmf0,
  writeAmf0,
} from './amf0.ts';
export { type AudioFormat, parseAudioConfig } from './audio-config.ts';
export { type AvcConfig, parseAvcConfig } from './avc-config.ts';
export { encodeControlTag, parseControlTag } from './control-tag.ts';
export type { FlvError } from './flv-error.ts';
export { FlvReader, type FlvReaderOptions } from './flv-reader.ts';
export { FlvWriter } from './flv-writer.ts';
export type {
  AudioConfig,
  AudioFrame,
  DataTag,
  EndOfSequence,
  MediaTag,
  VideoConfig,
  VideoFrame,
} from './media-tag.ts';
export { Slab } from './slab.ts';
export { isSequenceHeader, parseTagBody, type TagType, tagHeadBytes } from './tag-body.ts';
export { createTimestampUnwrapper, type TimestampUnwrapper } from './timestamp-unwrapper.ts';

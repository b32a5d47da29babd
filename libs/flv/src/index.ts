export type {
  AudioConfig,
  AudioFrame,
  DataTag,
  EndOfSequence,
  MediaTag,
  VideoConfig,
  VideoFrame,
} from './media-tag.ts';

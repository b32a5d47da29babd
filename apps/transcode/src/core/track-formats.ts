import { type TrackFormat, writeInitSection } from '@millrace/cmaf';
import {
  type AudioConfig,
  type AudioFormat,
  type AvcConfig,
  type FlvError,
  parseAudioConfig,
  parseAvcConfig,
  type VideoConfig,
} from '@millrace/flv';
import type { RenditionSpec } from '@millrace/handover';
import { ok, type Result } from '@millrace/result';
import { videoTimescale } from './packaging-rules.ts';

/** mdat track id: each rendition is a file of its own with one track. */
export const trackId = 1;

export interface VideoTrack {
  readonly record: Uint8Array;
  readonly format: AvcConfig;
}

export interface AudioTrack {
  readonly record: Uint8Array;
  readonly format: AudioFormat;
}

/** The tracks of a source as far as they are known. */
export interface SourceTracks {
  readonly video: VideoTrack | undefined;
  readonly audio: AudioTrack | undefined;
}

/** Reads a sequence header; the record is kept by reference. */
export function readVideoTrack(config: VideoConfig): Result<VideoTrack, FlvError> {
  const format = parseAvcConfig(config.record);
  return format.ok ? ok({ record: config.record, format: format.value }) : format;
}

/** Reads a sequence header; the record is kept by reference. */
export function readAudioTrack(config: AudioConfig): Result<AudioTrack, FlvError> {
  const format = parseAudioConfig(config.record);
  return format.ok ? ok({ record: config.record, format: format.value }) : format;
}

/**
 * The renditions of `tracks`, init sections included. `timeline` counts the discontinuities of one writer: delivery starts
 * a discontinuity when init bytes change, so it stands in them (as a free box, which readers skip).
 */
export function describeRenditions(tracks: SourceTracks, timeline: number): readonly RenditionSpec[] {
  const renditions: RenditionSpec[] = [];
  if (tracks.video !== undefined) {
    const { record, format } = tracks.video;
    const { width, height, codecs, frameRate } = format;
    renditions.push({
      name: 'video',
      kind: 'video',
      codecs,
      timescale: videoTimescale,
      width,
      height,
      ...(frameRate === undefined ? {} : { frameRate }),
      init: init({ kind: 'video', trackId, timescale: videoTimescale, width, height, avcConfig: record }, timeline),
    });
  }
  if (tracks.audio !== undefined) {
    const { record, format } = tracks.audio;
    const { codecs, sampleRate, channels } = format;
    renditions.push({
      name: 'audio',
      kind: 'audio',
      codecs,
      timescale: sampleRate,
      channels,
      sampleRate: format.outputSampleRate,
      init: init({ kind: 'audio', trackId, timescale: sampleRate, channels, audioConfig: record }, timeline),
    });
  }
  return renditions;
}

function init(format: TrackFormat, timeline: number): Uint8Array {
  const section = writeInitSection(format);
  if (timeline === 0) return section;
  const bytes = new Uint8Array(section.length + 12);
  bytes.set(section);
  bytes.set([0, 0, 0, 12, 0x66, 0x72, 0x65, 0x65], section.length);
  new DataView(bytes.buffer).setUint32(section.length + 8, timeline);
  return bytes;
}

/** Byte equality of two configuration records. */
export function sameRecord(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

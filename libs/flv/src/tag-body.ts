/**
 * Bodies of audio, video and script tags (Adobe FLV 10.1 annex E.4; RTMP messages of type 8, 9 and 18 are the same).
 * The few head bytes are parsed apart from the payload, so that whoever reads the wire can put payloads side by side.
 */
import { err, ok, type Result } from '@millrace/result';
import { type FlvError, flvError } from './flv-error.ts';
import type { MediaTag } from './media-tag.ts';

/** Bytes of a tag body that stand before the payload. */
export const tagHeadBytes = { audio: 2, video: 5 } as const;

/** Tag and message types: audio, video, script data. */
export type TagType = 8 | 9 | 18;

/** How many bytes of a body of `type` are its head. */
export function headBytesOf(type: TagType): number {
  return type === 9 ? tagHeadBytes.video : type === 8 ? tagHeadBytes.audio : 0;
}

const videoCodecs: Readonly<Record<number, string>> = {
  1: 'JPEG',
  2: 'Sorenson H.263',
  3: 'Screen Video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen Video 2',
  12: 'H.265 (codec 12)',
  13: 'AV1 (codec 13)',
};
const audioCodecs: Readonly<Record<number, string>> = {
  0: 'PCM',
  1: 'ADPCM',
  2: 'MP3',
  3: 'PCM',
  4: 'Nellymoser 16 kHz',
  5: 'Nellymoser 8 kHz',
  6: 'Nellymoser',
  7: 'G.711 A-law',
  8: 'G.711 mu-law',
  11: 'Speex',
  13: 'Opus (codec 13)',
  14: 'MP3 8 kHz',
};

/**
 * Parses one tag body. `head` is its first (up to) 2 bytes for audio, 5 for video, none for script data; `payload` is the
 * rest and is kept by reference. `timestampMs` is the unwrapped decode time.
 */
export function parseTagBody(
  type: TagType,
  timestampMs: number,
  head: Uint8Array,
  payload: Uint8Array,
): Result<MediaTag, FlvError> {
  if (type === 18) return ok({ kind: 'data', timestampMs, payload });
  return type === 9 ? parseVideo(timestampMs, head, payload) : parseAudio(timestampMs, head, payload);
}

function parseVideo(timestampMs: number, head: Uint8Array, payload: Uint8Array): Result<MediaTag, FlvError> {
  const first = head[0];
  if (first === undefined) return err(flvError('malformed', 'expected a video body, got 0 bytes'));
  if ((first & 0x80) !== 0) return err(flvError('unsupported-codec', `video ${fourCc(head, 1)} (Enhanced RTMP)`));
  const codec = first & 0x0f;
  const frameType = first >> 4;
  if (frameType === 5) return err(flvError('not-media', 'a video command frame'));
  if (codec !== 7) return err(flvError('unsupported-codec', `video ${videoCodecs[codec] ?? `codec ${codec}`}`));
  const packetType = head[1];
  if (packetType === 2) return ok({ kind: 'end-of-sequence', track: 'video', timestampMs });
  if (packetType !== 0 && packetType !== 1) {
    return err(flvError('not-media', `expected AVC packet type 0, 1 or 2, got ${packetType ?? 'nothing'}`));
  }
  if (head.length < tagHeadBytes.video || payload.length === 0) {
    return err(flvError('malformed', `expected an AVC packet, got ${head.length + payload.length} bytes`));
  }
  if (packetType === 0) return ok({ kind: 'video-config', codec: 'avc', timestampMs, record: payload });
  const composition = ((head[2] ?? 0) << 16) | ((head[3] ?? 0) << 8) | (head[4] ?? 0);
  return ok({
    kind: 'video-frame',
    timestampMs,
    compositionMs: (composition << 8) >> 8,
    keyframe: frameType === 1 || frameType === 4,
    payload,
  });
}

function parseAudio(timestampMs: number, head: Uint8Array, payload: Uint8Array): Result<MediaTag, FlvError> {
  const first = head[0];
  if (first === undefined) return err(flvError('malformed', 'expected an audio body, got 0 bytes'));
  const codec = first >> 4;
  if (codec === 9) {
    const name = fourCc(Uint8Array.of(head[1] ?? 0, ...payload.subarray(0, 3)), 0);
    return err(flvError('unsupported-codec', `audio ${name} (Enhanced RTMP)`));
  }
  if (codec !== 10) return err(flvError('unsupported-codec', `audio ${audioCodecs[codec] ?? `codec ${codec}`}`));
  const packetType = head[1];
  if (packetType === 2) return ok({ kind: 'end-of-sequence', track: 'audio', timestampMs });
  if (packetType !== 0 && packetType !== 1) {
    return err(flvError('not-media', `expected AAC packet type 0 or 1, got ${packetType ?? 'nothing'}`));
  }
  if (payload.length === 0) return err(flvError('malformed', 'expected an AAC packet, got an empty one'));
  return packetType === 0
    ? ok({ kind: 'audio-config', codec: 'aac', timestampMs, record: payload })
    : ok({ kind: 'audio-frame', timestampMs, payload });
}

function fourCc(bytes: Uint8Array, offset: number): string {
  const text = String.fromCharCode(...bytes.subarray(offset, offset + 4));
  return /^[\x20-\x7e]{4}$/.test(text) ? `"${text}"` : 'of an unknown FourCC';
}

/** A configuration that decoders need before the first frame; a late joiner must get the latest one of each track. */
export function isSequenceHeader(tag: MediaTag): boolean {
  return tag.kind === 'video-config' || tag.kind === 'audio-config';
}

/** The tag type and head bytes of a tag: what `parseTagBody` takes apart. */
export function tagHead(tag: MediaTag): { readonly type: TagType; readonly head: Uint8Array } {
  switch (tag.kind) {
    case 'video-config':
      return { type: 9, head: Uint8Array.of(0x17, 0, 0, 0, 0) };
    case 'video-frame': {
      const c = tag.compositionMs;
      return {
        type: 9,
        head: Uint8Array.of(tag.keyframe ? 0x17 : 0x27, 1, (c >> 16) & 0xff, (c >> 8) & 0xff, c & 0xff),
      };
    }
    case 'audio-config':
      return { type: 8, head: Uint8Array.of(0xaf, 0) };
    case 'audio-frame':
      return { type: 8, head: Uint8Array.of(0xaf, 1) };
    case 'data':
      return { type: 18, head: new Uint8Array(0) };
    case 'end-of-sequence':
      // Only video has this packet (E.4.3.1); an audio one has no wire form and travels as an empty AAC packet type 2.
      return tag.track === 'video'
        ? { type: 9, head: Uint8Array.of(0x17, 2, 0, 0, 0) }
        : { type: 8, head: Uint8Array.of(0xaf, 2) };
  }
}

/** The bytes of a tag behind its head: by reference. */
export function tagPayload(tag: MediaTag): Uint8Array {
  switch (tag.kind) {
    case 'video-config':
    case 'audio-config':
      return tag.record;
    case 'video-frame':
    case 'audio-frame':
    case 'data':
      return tag.payload;
    case 'end-of-sequence':
      return noBytes;
  }
}

const noBytes = new Uint8Array(0);

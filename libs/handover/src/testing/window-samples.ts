import { writeInitSection, writePart } from '@millrace/cmaf';
import type { Epoch, PublishId, StreamId } from '@millrace/ids';
import type { OpenWindow, PartWrite, RenditionSpec } from '../window-port.ts';

/** Constrained baseline 3.1, 640x360, as x264 wrote it. */
const avcConfig = Uint8Array.from(
  Buffer.from('0142c01fffe100196742c01fd900a02ff970110000030001000003003c0f18324801000568cb83cb20', 'hex'),
);
const audioConfig = Uint8Array.of(0x11, 0x90);

/** 30 fps in ticks of 90 kHz: parts of 6 frames. */
export const videoPartTicks = 18_000;
/** Parts of 9 AAC frames at 48 kHz. */
export const audioPartTicks = 9 * 1_024;

/** The two tracks of an open request; `variant` changes the video's init section. */
export function someRenditions(variant = 0): readonly RenditionSpec[] {
  const [width, height] = [640 + 2 * variant, 360];
  return [
    {
      name: 'video',
      kind: 'video',
      codecs: 'avc1.42c01f',
      timescale: 90_000,
      width,
      height,
      frameRate: 30,
      init: writeInitSection({ kind: 'video', trackId: 1, timescale: 90_000, width, height, avcConfig }),
    },
    {
      name: 'audio',
      kind: 'audio',
      codecs: 'mp4a.40.2',
      timescale: 48_000,
      channels: 2,
      sampleRate: 48_000,
      init: writeInitSection({ kind: 'audio', trackId: 2, timescale: 48_000, channels: 2, audioConfig }),
    },
  ];
}

/** An open request for tests. */
export function anOpenWindow(
  streamId: StreamId,
  epoch: number,
  change: { readonly publish?: 1 | 2; readonly variant?: number } = {},
): OpenWindow {
  return {
    streamId,
    epoch: epoch as Epoch,
    publishId: `pub_01jd000000000000000000000${change.publish ?? 1}` as PublishId,
    settings: { targetDurationS: 2, partTargetS: 0.216, partDurationMs: 200 },
    renditions: someRenditions(change.variant),
  };
}

/** A part whose moof says what the write says. `index` counts parts of the rendition from `startDts` 0. */
export function aPart(
  streamId: StreamId,
  epoch: number,
  place: {
    readonly rendition: 'video' | 'audio';
    readonly segment: number;
    readonly part: number;
    readonly index: number;
  },
  change: Partial<PartWrite> = {},
): PartWrite {
  const video = place.rendition === 'video';
  const duration = video ? videoPartTicks : audioPartTicks;
  const dts = place.index * duration;
  const frames = video ? 6 : 9;
  const size = 1_000 + place.index;
  const independent = !video || place.part === 0;
  return {
    streamId,
    epoch: epoch as Epoch,
    rendition: place.rendition,
    segment: place.segment,
    part: place.part,
    dts,
    duration,
    independent,
    discontinuity: false,
    programDateTimeMs: place.part === 0 ? 1_700_000_000_000.25 + place.index * 200 : undefined,
    last: false,
    bytes: writePart({
      sequence: place.index + 1,
      trackId: video ? 1 : 2,
      baseDts: dts,
      segmentStart: place.part === 0,
      samples: Array.from({ length: frames }, (_, i) => ({
        durationTicks: duration / frames,
        size,
        keyframe: !video || (independent && i === 0),
        compositionTicks: 0,
      })),
      payloads: Array.from({ length: frames }, (_, i) => new Uint8Array(size).fill(place.index + i)),
    }),
    ...change,
  };
}

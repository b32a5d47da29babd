/**
 * Where a writer begins in a window: afresh, or where its predecessor stopped. Preferably it packages again from a keyframe at which
 * a listed segment began, with the same rule, and leaves out what is listed; then every decision falls as it did
 * before. When the cached tags begin within a segment, it goes on from the boundary at which the list ends.
 */
import type { VideoFrame } from '@millrace/flv';
import type { RenditionPosition, WindowState } from '@millrace/handover';
import type { AudioStart } from './audio-cutter.ts';
import { videoTimescale } from './packaging-rules.ts';
import type { VideoStart } from './video-cutter.ts';

/** A keyframe may be this much behind the end of the list without media being missing: a hole before it, ticks. */
const holeTicks = videoTimescale / 2;

export type TakeoverPlan =
  | {
      readonly kind: 'start';
      readonly video: VideoStart | undefined;
      readonly audio: AudioStart;
      /** Frames before this are not packaged, ms. */
      readonly fromMs: number;
      /** Segments that video began and audio may not have reached, ticks of video. */
      readonly cuts: readonly { readonly segment: number; readonly startTicks: number }[];
    }
  /** Media between the end of the list and the first cached keyframe is lost: only a discontinuity can follow. */
  | { readonly kind: 'out-of-reach' };

/** Plans the start in `state`; `video` are the cached frames (undefined: there is no video), `firstAudioMs` the first audio. */
export function planTakeover(
  state: WindowState,
  video: readonly VideoFrame[] | undefined,
  firstAudioMs: number,
): TakeoverPlan {
  const at = (name: string) => state.renditions.find((rendition) => rendition.name === name);
  const audio = audioStart(at('audio'));
  if (video === undefined) return { kind: 'start', video: undefined, audio, fromMs: firstAudioMs, cuts: [] };
  const keyframe = video.find((frame) => frame.keyframe);
  if (keyframe === undefined) return { kind: 'out-of-reach' };
  const position = at('video');
  const first = keyframe.timestampMs * (videoTimescale / 1_000);
  if (position?.nextDts === undefined) {
    const segment = position?.next.segment ?? audio.segment;
    const start = { segment, part: 0, segmentStart: first, nextDts: first };
    return { kind: 'start', video: start, audio, fromMs: keyframe.timestampMs, cuts: [] };
  }
  const start = videoStart(position, position.nextDts, video, first);
  if (start === undefined) return { kind: 'out-of-reach' };
  const cuts = position.segments.map(({ segment, startDts }) => ({ segment, startTicks: startDts }));
  return { kind: 'start', video: start, audio, fromMs: fromMs(position, audio, keyframe.timestampMs), cuts };
}

function videoStart(
  position: RenditionPosition,
  nextDts: number,
  video: readonly VideoFrame[],
  first: number,
): VideoStart | undefined {
  const keyframes = new Set(
    video.filter((frame) => frame.keyframe).map((frame) => frame.timestampMs * (videoTimescale / 1_000)),
  );
  const begun = position.segments.findLast(({ startDts }) => keyframes.has(startDts));
  if (begun !== undefined) {
    const { segment, startDts } = begun;
    return { segment, part: 0, segmentStart: startDts, nextDts: startDts };
  }
  const { segment, part } = position.next;
  const reach = first - nextDts;
  if (reach > 0 && (part > 0 || reach > holeTicks)) return undefined;
  const open = position.segments.findLast((entry) => entry.segment === segment);
  return { segment, part, segmentStart: part === 0 ? nextDts : (open?.startDts ?? nextDts), nextDts };
}

/** Audio that is not listed yet may lie before the first keyframe: it is wanted from where its segment could begin. */
function fromMs(position: RenditionPosition, audio: AudioStart, keyframeMs: number): number {
  if (audio.nextDts !== undefined) return Number.NEGATIVE_INFINITY;
  const begun = position.segments.find(({ segment }) => segment === audio.segment);
  return begun === undefined ? keyframeMs : begun.startDts / (videoTimescale / 1_000);
}

function audioStart(position: RenditionPosition | undefined): AudioStart {
  if (position === undefined) return { segment: 0, part: 0, segmentStart: 0, nextDts: undefined };
  const { segment, part } = position.next;
  const open = position.segments.findLast((entry) => entry.segment === segment);
  return {
    ...{ segment, part, segmentStart: open?.startDts ?? 0 },
    ...{ nextDts: position.nextDts, lastFrame: position.lastFrame },
  };
}

import type { OpenWindow, PartWrite, WindowSettings } from '@millrace/handover';
import type { RenditionTrack } from './rendition-track.ts';

const namePattern = /^[a-z][a-z0-9-]{0,31}$/;
/** Renditions that one window may have; a ladder has far fewer. */
const mostRenditions = 16;
/** Bytes of one segment: 64 Mbit/s for 4 s. What is open cannot be shed, so it must be bounded here. */
const mostSegmentBytes = 32 * 1024 * 1024;

/** Why a window cannot be opened like this; undefined when it can. */
export function openMistake(open: OpenWindow): string | undefined {
  const { targetDurationS, partTargetS } = open.settings;
  if (!Number.isInteger(targetDurationS) || targetDurationS < 1 || targetDurationS > 30) {
    return `expected a target duration of 1 to 30 whole seconds, got ${targetDurationS}`;
  }
  if (!(partTargetS > 0.01 && partTargetS <= targetDurationS)) {
    return `expected a part target between 0.01 s and the target duration, got ${partTargetS}`;
  }
  const names = new Set(open.renditions.map((spec) => spec.name));
  if (names.size === 0 || names.size > mostRenditions || names.size !== open.renditions.length) {
    return `expected 1 to ${mostRenditions} renditions with different names, got ${open.renditions.length}`;
  }
  for (const spec of open.renditions) {
    // `s` would make a rendition's path look like a session's
    if (!namePattern.test(spec.name) || spec.name === 's') return `bad rendition name "${spec.name.slice(0, 40)}"`;
    if (!Number.isInteger(spec.timescale) || spec.timescale < 1)
      return `bad timescale ${spec.timescale} of ${spec.name}`;
    if (/["\r\n,]/.test(spec.codecs) || spec.codecs === '') return `bad codecs of ${spec.name}`;
    if (spec.init.byteLength === 0) return `rendition ${spec.name} has no init section`;
  }
  return undefined;
}

/**
 * Why a part cannot be listed; undefined when it can. A playlist whose part target or target duration is exceeded makes
 * players give up, so a part that would do it is refused (one tick is left for rounding).
 */
export function partMistake(write: PartWrite, track: RenditionTrack, settings: WindowSettings): string | undefined {
  const { timescale } = track.spec;
  const label = `part ${write.segment}.${write.part} of ${track.name}`;
  if (!Number.isSafeInteger(write.dts) || write.dts < 0) return `${label}: bad dts ${write.dts}`;
  if (!Number.isSafeInteger(write.duration) || write.duration <= 0) return `${label}: bad duration ${write.duration}`;
  if (!write.bytes.some((slice) => slice.byteLength > 0)) return `${label} has no bytes`;
  if (write.duration > settings.partTargetS * timescale + 1) {
    return `${label} lasts ${write.duration / timescale} s, longer than the part target of ${settings.partTargetS} s`;
  }
  const open = track.segment(write.segment);
  const bytes = write.bytes.reduce((sum, slice) => sum + slice.byteLength, open?.size ?? 0);
  if (bytes > mostSegmentBytes) return `${label} makes its segment ${bytes} bytes, more than ${mostSegmentBytes}`;
  const segmentS = (open?.durationS ?? 0) + write.duration / timescale;
  if (Math.round(segmentS - 1e-6) > settings.targetDurationS) {
    return `${label} makes its segment ${segmentS} s long, past the target duration of ${settings.targetDurationS} s`;
  }
  return undefined;
}

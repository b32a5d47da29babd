/**
 * Cuts the frames of a video track into parts and segments. Cuts depend on timestamps and keyframes alone, and after a part
 * boundary only on where the segment began, so a successor that starts at any boundary cuts as its predecessor would have.
 *
 * A frame's duration is known when the next one arrives; until then it waits. A frame that is later than the part target
 * allows does not make a part longer: its predecessor's duration ends at the limit and the late frame gets that earlier
 * decode time, its presentation time unchanged. So decode times stay contiguous (MSE drops frames up to the next keyframe
 * after a hole), parts keep their bounds, and following short frames use the time up again. Only a keyframe that begins a
 * segment goes back to its own decode time.
 */
import type { VideoFrame } from '@millrace/flv';
import { type CutPart, PartBuffer, type TrackPlace } from './cut-part.ts';
import { type CutRules, shortestPartRatio, videoTimescale } from './packaging-rules.ts';

const ticksPerMs = videoTimescale / 1_000;

interface WaitingFrame {
  readonly tag: VideoFrame;
  /** Its own decode time and the one it gets, ticks. */
  readonly time: number;
  readonly dts: number;
}

export interface VideoStart extends TrackPlace {
  /** Decode time of the next part, ticks; frames before it are known to be listed. */
  readonly nextDts: number;
}

export class VideoCutter {
  readonly #rules: CutRules;
  readonly #parts: PartBuffer;
  readonly #onSegment: (segment: number, startTicks: number) => void;
  #waiting: WaitingFrame | undefined;
  /** The last frame before `nextDts` that a successor skipped, ticks. */
  #skippedTime: number | undefined;
  readonly #nextDts: number;
  readonly #boundary: boolean;
  /** The open segment holds a keyframe. */
  #keyframeSeen = false;
  /** Duration of the frame before the waiting one, ticks: what the next is taken to last. */
  #ordinaryTicks = Math.round(videoTimescale / 30);

  /** `emit` gets each part; `onSegment` is told of each segment as it begins, before its first part. */
  constructor(
    rules: CutRules,
    start: VideoStart,
    emit: (part: CutPart) => void,
    onSegment: (segment: number, startTicks: number) => void,
  ) {
    this.#rules = rules;
    this.#nextDts = start.nextDts;
    this.#boundary = start.part === 0;
    this.#parts = new PartBuffer(start, start.nextDts, emit);
    this.#onSegment = onSegment;
  }

  /** Media bytes that wait in the open part. */
  get bufferedBytes(): number {
    return this.#parts.bytes + (this.#waiting?.tag.payload.length ?? 0);
  }

  /** Decode time of the latest frame, ms; undefined before the first. */
  get latestMs(): number | undefined {
    return this.#waiting?.tag.timestampMs;
  }

  /** Takes the next frame in decode order. */
  frame(tag: VideoFrame): void {
    const time = tag.timestampMs * ticksPerMs;
    if (this.#waiting === undefined) return this.#first(tag, time);
    this.#place(this.#waiting, tag, time);
  }

  /** No more frames: the waiting one lasts as long as the one before it, and the part is closed. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#add(waiting, Math.max(waiting.dts + 1, Math.min(waiting.dts + this.#ordinaryTicks, this.#room())));
    this.#parts.close(false);
  }

  #first(tag: VideoFrame, time: number): void {
    if (time < this.#nextDts) {
      this.#skippedTime = time;
      if (tag.keyframe && time >= this.#parts.segmentStart) this.#keyframeSeen = true;
      return;
    }
    if (this.#skippedTime !== undefined) this.#ordinaryTicks = Math.max(1, time - this.#skippedTime);
    let dts = this.#nextDts;
    if (this.#boundary) {
      if (tag.keyframe) dts = time;
      this.#parts.skipTo(dts);
      this.#beginSegment();
    }
    if (tag.keyframe) this.#keyframeSeen = true;
    this.#waiting = { tag, time, dts };
  }

  /** `next` arrived at `time`, which ends `waiting`. */
  #place(waiting: WaitingFrame, next: VideoFrame, time: number): void {
    const parts = this.#parts;
    const rules = this.#rules;
    const end = Math.max(time, waiting.dts + 1); // equal or slightly decreasing timestamps: decode times rise all the same
    const ordinary = Math.min(Math.max(1, end - waiting.time), rules.partLimitTicks);
    this.#ordinaryTicks = ordinary;
    let cut = next.keyframe && this.#begins(end);

    if (end > this.#room() && parts.sampleCount > 0) {
      const long = parts.end - parts.start >= shortestPartRatio * rules.partLimitTicks;
      if (long || cut) this.#closeBefore(waiting, end);
      cut = next.keyframe && this.#begins(end);
    }
    const lastsTo = Math.max(waiting.dts + 1, Math.min(end, this.#room()));
    this.#add(waiting, lastsTo);
    if (cut) {
      parts.close(true);
      parts.skipTo(end);
      this.#beginSegment();
    } else if (this.#mustCut(lastsTo, ordinary)) {
      parts.close(true);
      this.#beginSegment();
    } else if (lastsTo < end || parts.end - parts.start >= rules.partTicks) {
      parts.close(false);
    }
    if (next.keyframe) this.#keyframeSeen = true;
    this.#waiting = { tag: next, time, dts: cut ? end : lastsTo };
  }

  /** Closes the part in front of `waiting`, which lasts to `end` at most, and with it the segment if it must be. */
  #closeBefore(waiting: WaitingFrame, end: number): void {
    const lasts = Math.min(end - waiting.dts, this.#rules.partLimitTicks);
    const last = this.#mustCut(waiting.dts, lasts);
    this.#parts.close(last);
    if (!last) return;
    this.#beginSegment();
    this.#keyframeSeen = waiting.tag.keyframe;
  }

  /** Whether a keyframe at `time` begins a segment. */
  #begins(time: number): boolean {
    const age = time - this.#parts.segmentStart;
    return age >= (this.#keyframeSeen ? this.#rules.minSegmentTicks : this.#rules.minForcedSegmentTicks);
  }

  /** Whether a frame at `dts` that lasts `ticks` would make the segment too long. */
  #mustCut(dts: number, ticks: number): boolean {
    return dts + ticks - this.#parts.segmentStart > this.#rules.segmentLimitTicks;
  }

  /** Latest end of the open part, ticks. */
  #room(): number {
    const { start, segmentStart } = this.#parts;
    return Math.min(start + this.#rules.partLimitTicks, segmentStart + this.#rules.segmentEndTicks);
  }

  #add(frame: WaitingFrame, end: number): void {
    const { tag, time, dts } = frame;
    const compositionTicks = tag.compositionMs * ticksPerMs + time - dts;
    this.#parts.add(tag.payload, end, tag.keyframe, compositionTicks);
  }

  #beginSegment(): void {
    this.#keyframeSeen = false;
    this.#onSegment(this.#parts.segment, this.#parts.segmentStart);
  }
}

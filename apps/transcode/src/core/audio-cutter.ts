/**
 * Cuts audio frames into parts and segments. Decode times are a sample counter: anchored once on the timestamps, then
 * each frame adds its samples; only a drift beyond 40 ms anchors it again, and then never backwards. Beside video, a segment begins
 * with the first frame at or after the video's cut and has the same number; alone, with a whole number of parts.
 */
import type { ListedFrame } from '@millrace/handover';
import { type CutPart, PartBuffer, type TrackPlace } from './cut-part.ts';
import { audioFramesPerPart, type CutRules, videoTimescale } from './packaging-rules.ts';

const driftLimitMs = 40;

export interface AudioStart extends TrackPlace {
  /** Decode time of the next part, ticks: frames before it are listed, and frames lie on its grid. Undefined: nothing is. */
  readonly nextDts: number | undefined;
  /** The last frame that is listed. Without it, frames are matched by their times alone, which lost frames make ambiguous. */
  readonly lastFrame?: ListedFrame | undefined;
}

export interface AudioCutterOptions {
  readonly rules: CutRules;
  readonly sampleRate: number;
  readonly samplesPerFrame: number;
  /** The audio is alone: it decides where segments begin. */
  readonly alone: boolean;
  readonly start: AudioStart;
  readonly emit: (part: CutPart) => void;
}

/** What became of a frame. */
export type AudioOutcome = 'taken' | 'listed' | 'overlap' | 'no-room';

export class AudioCutter {
  readonly #rules: CutRules;
  readonly #rate: number;
  readonly #frameTicks: number;
  readonly #framesPerPart: number;
  readonly #alone: boolean;
  readonly #start: AudioStart;
  readonly #emit: (part: CutPart) => void;
  /** Segments that video has begun and audio has not, oldest first. */
  #cuts: { readonly segment: number; readonly startMs: number }[] = [];
  #parts: PartBuffer | undefined;
  /** After a take-over: video has begun the segment of which audio is to make the first part. */
  #startIsDue = false;
  /** The frame whose end is not known yet, and its decode time. */
  #waiting: Uint8Array | undefined;
  #waitingDts = 0;
  #waitingMs = 0;
  /** Decode time that the next frame gets, ticks; undefined before the anchor. */
  #next: number | undefined;
  #anchors = 0;

  constructor(options: AudioCutterOptions) {
    this.#rules = options.rules;
    this.#rate = options.sampleRate;
    this.#frameTicks = options.samplesPerFrame;
    this.#framesPerPart = audioFramesPerPart(options.rules, options.samplesPerFrame);
    this.#alone = options.alone;
    this.#start = options.start;
    this.#emit = options.emit;
  }

  get bufferedBytes(): number {
    return (this.#parts?.bytes ?? 0) + (this.#waiting?.length ?? 0);
  }
  /** Decode time of the next frame, ms; undefined before the first. */
  get nextMs(): number | undefined {
    return this.#next === undefined ? undefined : (this.#next / this.#rate) * 1_000;
  }
  /** How often the counter was anchored again because of drift. */
  get anchors(): number {
    return this.#anchors;
  }
  /** Segments that video has begun and that have no audio yet. */
  get behind(): number {
    return this.#cuts.length + (this.#parts === undefined && this.#startIsDue ? 1 : 0);
  }

  /** Video began `segment` at `startTicks` (of the video timescale). */
  cut(segment: number, startTicks: number): void {
    const reached = this.#cuts.at(-1)?.segment ?? this.#parts?.segment ?? this.#start.segment;
    const { nextDts, part } = this.#start;
    if (segment === this.#start.segment && nextDts !== undefined && part === 0) this.#startIsDue = true;
    if (segment > reached) this.#cuts.push({ segment, startMs: (startTicks / videoTimescale) * 1_000 });
  }

  /** Takes the next frame, of media time `timestampMs`. */
  frame(timestampMs: number, payload: Uint8Array): AudioOutcome {
    const time = Math.round((timestampMs * this.#rate) / 1_000);
    const { lastFrame } = this.#start;
    if (this.#parts === undefined && lastFrame !== undefined) {
      if (timestampMs <= lastFrame.timestampMs) return 'listed';
      this.#next ??= lastFrame.counterDts;
    }
    let dts = this.#next ?? this.#anchor(time);
    const drift = time - dts;
    if (Math.abs(drift) * 1_000 > driftLimitMs * this.#rate) {
      if (drift < 0) return 'overlap';
      this.#anchors++;
      dts = time;
    }
    const listedTo = lastFrame === undefined ? this.#start.nextDts : undefined;
    if (this.#parts === undefined && listedTo !== undefined && dts < listedTo) {
      this.#next = dts + this.#frameTicks;
      return 'listed';
    }
    const parts = this.#parts ?? this.#open(dts);
    const begins = this.#begins(parts, timestampMs, dts);
    if (!begins && dts + this.#frameTicks - parts.segmentStart > this.#rules.segmentEndTicks) return 'no-room';
    this.#place(parts, dts, begins);
    // One cut a frame: a segment that has no frame of its own gets this one, and numbers stay equal.
    if (begins) this.#cuts.shift();
    this.#waiting = payload;
    this.#waitingDts = dts;
    this.#waitingMs = timestampMs;
    this.#next = dts + this.#frameTicks;
    return 'taken';
  }

  /** No more frames: the last one lasts as long as it should, and the part is closed. */
  flush(): void {
    const { sampleCount = 0 } = this.#parts ?? {};
    if (this.#parts !== undefined && (this.#waiting !== undefined || sampleCount > 0)) {
      this.#addWaiting(this.#parts, this.#waitingDts + this.#frameTicks);
      this.#parts.close(false);
    }
  }

  #anchor(time: number): number {
    const grid = this.#start.nextDts;
    if (grid === undefined) return time;
    return grid + Math.round((time - grid) / this.#frameTicks) * this.#frameTicks;
  }

  #open(dts: number): PartBuffer {
    const { segment, part, segmentStart } = this.#start;
    this.#parts = new PartBuffer({ segment, part, segmentStart: part === 0 ? dts : segmentStart }, dts, this.#emit);
    return this.#parts;
  }

  /** Whether the frame at `dts` begins a segment. */
  #begins(parts: PartBuffer, timestampMs: number, dts: number): boolean {
    if (!this.#alone) {
      if (this.#waiting === undefined && parts.sampleCount === 0) return false; // nothing to end the segment with
      const cut = this.#cuts[0];
      return cut !== undefined && timestampMs >= cut.startMs;
    }
    const partTicks = this.#framesPerPart * this.#frameTicks;
    return dts - parts.start >= partTicks && dts + partTicks - parts.segmentStart > this.#rules.segmentLimitTicks;
  }

  /** Ends the waiting frame where the one at `dts` starts, and the part when it is full or `begins` a segment. */
  #place(parts: PartBuffer, dts: number, begins: boolean): void {
    const limit = parts.start + this.#rules.partLimitTicks;
    this.#addWaiting(parts, Math.min(dts, Math.max(limit, this.#waitingDts + this.#frameTicks)));
    const full = parts.sampleCount >= this.#framesPerPart || parts.end + this.#frameTicks > limit;
    if (parts.sampleCount > 0 && (full || begins || parts.end < dts)) parts.close(begins);
    if (parts.end < dts) parts.skipTo(dts); // a hole longer than a part may hold
  }

  #addWaiting(parts: PartBuffer, end: number): void {
    if (this.#waiting === undefined) return;
    const frame = { timestampMs: this.#waitingMs, counterDts: this.#waitingDts + this.#frameTicks };
    parts.add(this.#waiting, end, true, 0, frame);
    this.#waiting = undefined;
  }
}

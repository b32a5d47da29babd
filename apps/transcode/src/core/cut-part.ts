import type { PartSample } from '@millrace/cmaf';
import type { ListedFrame } from '@millrace/handover';

/** A part as the cutter of a track makes it: where it belongs and what is in it. */
export interface CutPart {
  readonly segment: number;
  readonly part: number;
  /** Ticks. */
  readonly dts: number;
  readonly duration: number;
  readonly independent: boolean;
  readonly last: boolean;
  readonly samples: readonly PartSample[];
  readonly payloads: readonly Uint8Array[];
  readonly mediaBytes: number;
  /** Of audio. */
  readonly lastFrame?: ListedFrame | undefined;
}

/** Where a track goes on: its next part, and the segment that part belongs to. */
export interface TrackPlace {
  readonly segment: number;
  readonly part: number;
  /** Decode time at which the segment began, ticks. */
  readonly segmentStart: number;
}

/** Collects the samples of one part and numbers parts and segments of its track. */
export class PartBuffer {
  readonly #emit: (part: CutPart) => void;
  #segment: number;
  #part: number;
  #segmentStart: number;
  #start: number;
  #end: number;
  #samples: PartSample[] = [];
  #payloads: Uint8Array[] = [];
  #bytes = 0;
  #lastFrame: ListedFrame | undefined;

  /** The next part starts at `start`, ticks. */
  constructor(place: TrackPlace, start: number, emit: (part: CutPart) => void) {
    this.#segment = place.segment;
    this.#part = place.part;
    this.#segmentStart = place.segmentStart;
    this.#start = start;
    this.#end = start;
    this.#emit = emit;
  }

  get segment(): number {
    return this.#segment;
  }
  get segmentStart(): number {
    return this.#segmentStart;
  }
  /** Of the open part, ticks. */
  get start(): number {
    return this.#start;
  }
  /** Where the samples so far end, ticks. */
  get end(): number {
    return this.#end;
  }
  get sampleCount(): number {
    return this.#samples.length;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a sample behind the ones there are; it lasts until `end`, ticks. */
  add(payload: Uint8Array, end: number, keyframe: boolean, compositionTicks: number, frame?: ListedFrame): void {
    this.#samples.push({ durationTicks: end - this.#end, size: payload.length, keyframe, compositionTicks });
    this.#payloads.push(payload);
    this.#bytes += payload.length;
    this.#lastFrame = frame;
    this.#end = end;
  }

  /** Emits the part, if there is any; the next one starts where it ends. */
  close(last: boolean): void {
    const first = this.#samples[0];
    if (first !== undefined) {
      this.#emit({
        segment: this.#segment,
        part: this.#part,
        dts: this.#start,
        duration: this.#end - this.#start,
        independent: first.keyframe,
        last,
        samples: this.#samples,
        payloads: this.#payloads,
        mediaBytes: this.#bytes,
        lastFrame: this.#lastFrame,
      });
      this.#part++;
      this.#samples = [];
      this.#payloads = [];
      this.#bytes = 0;
    } else if (last) throw new Error(`segment ${this.#segment}: its last part has no sample`);
    this.#start = this.#end;
    if (last) {
      this.#segment++;
      this.#part = 0;
      this.#segmentStart = this.#end;
    }
  }

  /** Moves the start of an empty part to `start`, ticks: time that nothing fills. */
  skipTo(start: number): void {
    if (this.#samples.length > 0) throw new Error('only an empty part can move');
    this.#start = start;
    this.#end = start;
    if (this.#part === 0) this.#segmentStart = start;
  }
}

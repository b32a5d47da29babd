/**
 * One rendition of a live window: its segments and parts, what is listed, what is only still fetchable, and which bytes are
 * in memory. Numbers rise by one and never come back. Pure: no clock, no I/O; retention goes by media time.
 */

import type { PartWrite, RenditionSpec, WindowSettings } from '@millrace/handover';
import { type AwaitedPart, isReached, type PlaylistPosition, partListingTargets } from '@millrace/hls';
import {
  addPart,
  beginSegment,
  firstWithin,
  gapSegment,
  sameBytes,
  type TrackSegment,
  totalS,
} from './track-segment.ts';

/** What a change did to the track, for those who store, delete and wake. */
export interface TrackChange {
  /** Segments that became complete and should be archived (gaps are not among them). */
  readonly completed: readonly TrackSegment[];
  /** Segments that nobody may ask for any more. */
  readonly expired: readonly TrackSegment[];
}

export class RenditionTrack {
  readonly name: string;
  readonly #settings: WindowSettings;
  readonly #listedSegments: number;
  /** Init sections that a fetchable segment or the next one needs, by index. */
  readonly #inits = new Map<number, Uint8Array>();
  #init: number;
  /** All that can be fetched, oldest first; from `#firstListed` on they are in the playlist. */
  readonly #segments: TrackSegment[] = [];
  #spec: RenditionSpec;
  #firstListed: number;
  #next: number;
  #nextPart = 0;
  #discontinuities: number;
  #publishStart: number;
  #memoryBytes = 0;
  #peakBps = 0;
  #version = 0;
  #ended = false;

  constructor(
    spec: RenditionSpec,
    settings: WindowSettings,
    start: {
      readonly segment: number;
      readonly discontinuities: number;
      readonly listedSegments: number;
      /** Index of the first init section: file names of an earlier track of this name are not used again. */
      readonly init: number;
    },
  ) {
    this.name = spec.name;
    this.#spec = spec;
    this.#settings = settings;
    this.#init = start.init;
    this.#inits.set(start.init, spec.init);
    this.#firstListed = start.segment;
    this.#next = start.segment;
    this.#publishStart = start.segment;
    this.#discontinuities = start.discontinuities;
    this.#listedSegments = start.listedSegments;
  }

  get spec(): RenditionSpec {
    return this.#spec;
  }
  get next(): { readonly segment: number; readonly part: number } {
    return { segment: this.#next, part: this.#nextPart };
  }
  /** Rises with every change that a playlist shows. */
  get version(): number {
    return this.#version;
  }
  get ended(): boolean {
    return this.#ended;
  }
  get memoryBytes(): number {
    return this.#memoryBytes;
  }
  /** Index of the present init section. */
  get initIndex(): number {
    return this.#init;
  }
  get discontinuities(): number {
    return this.#discontinuities;
  }
  /** The highest bit rate that any complete segment had, bit/s; 0 before the first. */
  get peakBps(): number {
    return this.#peakBps;
  }

  position(): PlaylistPosition {
    const last = this.segment(this.#next - 1);
    return {
      nextSegment: this.#next,
      nextPart: this.#nextPart,
      lastSegmentParts: last?.parts.length ?? 0,
      partTargetS: this.#settings.partTargetS,
      ended: this.#ended,
    };
  }

  /** Whether the playlist lists what a request waits for, or something later. */
  hasReached(awaited: AwaitedPart): boolean {
    return isReached(this.position(), awaited);
  }

  /** A segment that can be fetched, listed or not. */
  segment(number: number): TrackSegment | undefined {
    const first = this.#segments[0]?.number ?? 0;
    return this.#segments[number - first];
  }

  init(index: number): Uint8Array | undefined {
    return this.#inits.get(index);
  }

  /** The playlist's segments, oldest first; the last may be open. */
  listed(): readonly TrackSegment[] {
    return this.#segments.slice(Math.max(0, this.#firstListed - (this.#segments[0]?.number ?? this.#firstListed)));
  }

  get firstListed(): number {
    return this.#firstListed;
  }

  /** Segments of the present publish and discontinuity, oldest first. */
  currentSegments(): readonly TrackSegment[] {
    return this.listed().filter(
      (segment) =>
        segment.number >= this.#publishStart && segment.discontinuitySequence === this.#discontinuities && !segment.gap,
    );
  }

  /** Segments before this number no longer list their parts: they end more than three target durations before the end. */
  partsListedFrom(): number {
    return firstWithin(this.#segments, this.#settings.targetDurationS * partListingTargets) ?? this.#next;
  }

  /** Takes the next part; the caller has checked that it is the next and fits. */
  append(write: PartWrite, discontinuity: boolean): TrackChange {
    if (this.#nextPart === 0) {
      if (discontinuity) this.#discontinuities++;
      const start = { number: this.#next, discontinuity, discontinuitySequence: this.#discontinuities };
      this.#segments.push(beginSegment(write, { ...start, init: this.#init }));
    }
    const segment = this.#segments.at(-1);
    if (segment === undefined) throw new Error(`track ${this.name}: no open segment ${this.#next} to append to`);
    this.#memoryBytes += addPart(segment, write, this.#spec.timescale);
    this.#nextPart++;
    this.#version++;
    return write.last ? this.closeSegment() : this.#change([]);
  }

  /** Completes the open segment with the parts it has; without one nothing happens. */
  closeSegment(): TrackChange {
    const segment = this.#nextPart > 0 ? this.#segments.at(-1) : undefined;
    if (segment === undefined) return this.#change([]);
    segment.complete = true;
    this.#next++;
    this.#nextPart = 0;
    this.#version++;
    if (segment.durationS > 0) this.#peakBps = Math.max(this.#peakBps, (segment.size * 8) / segment.durationS);
    return this.#change([segment]);
  }

  /**
   * A new publish or new codecs: the open segment is closed, gaps fill up to `segment`, so that all renditions go on with
   * the same number.
   */
  restart(spec: RenditionSpec, segment: number, isDiscontinuity: (segment: number) => boolean): TrackChange {
    const closed = this.closeSegment();
    while (this.#next < segment) this.#pushGap(isDiscontinuity(this.#next));
    if (!sameBytes(spec.init, this.#spec.init)) this.#inits.set(++this.#init, spec.init);
    this.#spec = spec;
    this.#publishStart = this.#next;
    return { completed: closed.completed, expired: [...closed.expired, ...this.#change([]).expired] };
  }

  /** Nothing will be added: the playlist gets EXT-X-ENDLIST. */
  end(): TrackChange {
    const change = this.closeSegment();
    this.#ended = true;
    this.#version++;
    return change;
  }

  /** Lets go of everything, when another track takes its place. Returns what can be deleted. */
  drop(): readonly TrackSegment[] {
    const all = this.#segments.splice(0);
    for (const segment of all) this.#free(segment);
    return all;
  }

  /** The store has the segment: memory is freed once its parts are no longer listed. */
  archived(number: number): void {
    const segment = this.segment(number);
    if (segment === undefined) return;
    segment.archived = true;
    this.#freeArchived();
  }

  /** Frees the oldest segment that the store has, listed parts or not. Returns the bytes freed; 0 when there is none. */
  freeOldestArchived(): number {
    const segment = this.#segments.find((candidate) => candidate.archived && candidate.media !== undefined);
    return segment === undefined ? 0 : this.#free(segment);
  }

  /** Takes the oldest complete segment out of the window for want of memory. Returns what went. */
  shedOldest(): TrackSegment | undefined {
    const oldest = this.#segments[0];
    if (oldest === undefined || !oldest.complete) return undefined;
    this.#segments.shift();
    this.#free(oldest);
    this.#firstListed = Math.max(this.#firstListed, oldest.number + 1);
    this.#version++;
    return oldest;
  }

  /** Fills a number that this rendition never got. */
  #pushGap(discontinuity: boolean): void {
    if (discontinuity) this.#discontinuities++;
    const start = { number: this.#next, discontinuity, discontinuitySequence: this.#discontinuities };
    this.#segments.push(gapSegment(this.#segments.at(-1), start, this.#settings.targetDurationS));
    this.#next++;
    this.#version++;
  }

  /** Moves the start of the list and drops what has been off it for as long as the list is. */
  #change(completed: readonly TrackSegment[]): TrackChange {
    const listed = this.listed();
    const surplus = listed.filter((segment) => segment.complete).length - this.#listedSegments;
    let listedS = totalS(listed);
    for (const segment of listed.slice(0, Math.max(0, surplus))) {
      // A playlist is never shorter than three target durations (rfc8216bis 6.2.2).
      if (listedS - segment.durationS < 3 * this.#settings.targetDurationS) break;
      listedS -= segment.durationS;
      this.#firstListed = segment.number + 1;
    }
    const unlisted = this.#segments.filter((segment) => segment.number < this.#firstListed);
    const keptFrom = firstWithin(unlisted, listedS) ?? this.#firstListed;
    const expired = this.#segments.splice(0, unlisted.filter((segment) => segment.number < keptFrom).length);
    for (const segment of expired) this.#free(segment);
    if (expired.length > 0) this.#forgetInits();
    this.#freeArchived();
    return { completed, expired };
  }

  #forgetInits(): void {
    const oldest = this.#segments.find((segment) => segment.init !== undefined)?.init ?? this.#init;
    for (const index of this.#inits.keys()) if (index < oldest) this.#inits.delete(index);
  }

  #freeArchived(): void {
    const from = this.partsListedFrom();
    for (const segment of this.#segments) {
      if (segment.number >= from) break;
      if (segment.archived) this.#free(segment);
    }
  }

  #free(segment: TrackSegment): number {
    if (segment.media === undefined) return 0;
    segment.media = undefined;
    this.#memoryBytes -= segment.size;
    return segment.size;
  }
}

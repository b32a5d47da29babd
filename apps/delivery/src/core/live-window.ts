/**
 * The live window of one broadcast: the truth of what can be played, numbers included. It takes only the next part of a
 * rendition, only from the writer with the highest epoch, and says what it expects otherwise.
 *
 * - A take-over (same publishId, same init sections, higher epoch) goes on where the window ends, without a discontinuity.
 * - A new publishId, or other init sections, closes the open segments, brings all renditions to the same number and starts
 *   a discontinuity with the next part of each.
 * - After `end` nothing is taken any more; a new broadcast gets a new window with a new id.
 */
import type {
  OpenWindow,
  PartWrite,
  RenditionSpec,
  WindowSettings,
  WindowState,
  WriteRefusal,
} from '@millrace/handover';
import type { Epoch, PublishId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import { partMistake } from './part-check.ts';
import { RenditionTrack, type TrackChange } from './rendition-track.ts';
import { sameBytes, type TrackSegment } from './track-segment.ts';

/** What a write changed, per rendition. */
export interface WindowChange {
  readonly track: RenditionTrack;
  readonly completed: readonly TrackSegment[];
  readonly expired: readonly TrackSegment[];
}

export interface WindowIdentity {
  /** Stands in every media file name, so that names are never used twice. */
  readonly windowId: string;
  /** Media sequence number of the first segment. */
  readonly firstSegment: number;
  /** Complete segments that a playlist lists. */
  readonly listedSegments: number;
}

/** Segments a writer is told about when it takes over. */
const reportedSegments = 8;

export class LiveWindow {
  readonly id: string;
  readonly settings: WindowSettings;
  readonly #identity: WindowIdentity;
  readonly #tracks = new Map<string, RenditionTrack>();
  /** Renditions that still wait for their first part of the present publish. */
  readonly #fresh = new Set<string>();
  /** Segments not yet passed by all renditions that start a discontinuity in some of them, and therefore in all. */
  readonly #discontinuities = new Set<number>();
  #epoch: Epoch;
  #publishId: PublishId;
  #ended = false;

  constructor(open: OpenWindow, identity: WindowIdentity) {
    this.id = identity.windowId;
    this.settings = open.settings;
    this.#identity = identity;
    this.#epoch = open.epoch;
    this.#publishId = open.publishId;
    for (const spec of open.renditions) this.#addTrack(spec, identity.firstSegment, 0);
  }

  get epoch(): Epoch {
    return this.#epoch;
  }
  get ended(): boolean {
    return this.#ended;
  }
  get memoryBytes(): number {
    let bytes = 0;
    for (const track of this.#tracks.values()) bytes += track.memoryBytes;
    return bytes;
  }

  track(name: string): RenditionTrack | undefined {
    return this.#tracks.get(name);
  }

  /** Every rendition there was, those that have ended included. */
  tracks(): readonly RenditionTrack[] {
    return [...this.#tracks.values()];
  }

  /** Opens the window again, for a successor or a new publish. */
  reopen(open: OpenWindow): Result<{ state: WindowState; changes: readonly WindowChange[] }, WriteRefusal> {
    if (open.epoch < this.#epoch) return err({ kind: 'stale-epoch', current: this.#epoch });
    if (this.#ended) return err({ kind: 'not-open', message: `the broadcast of epoch ${this.#epoch} has ended` });
    const changes = this.#continues(open) ? [] : this.#restart(open.renditions);
    this.#epoch = open.epoch;
    this.#publishId = open.publishId;
    return ok({ state: this.state(), changes });
  }

  /** What a writer must know to go on. */
  state(): WindowState {
    const live = this.#live();
    const fresh = live.every((track) => this.#fresh.has(track.name));
    return {
      settings: this.settings,
      fresh,
      renditions: live.map((track) => {
        const segments = this.#fresh.has(track.name) ? [] : track.currentSegments().slice(-reportedSegments);
        const last = segments.at(-1)?.parts.at(-1);
        return {
          name: track.name,
          next: track.next,
          nextDts: last === undefined ? undefined : last.dts + last.duration,
          lastFrame: last?.lastFrame,
          segments: segments.map(({ number, startDts, complete }) => ({ segment: number, startDts, complete })),
        };
      }),
    };
  }

  /** Takes the next part of a rendition, or refuses it. */
  take(write: PartWrite): Result<WindowChange, WriteRefusal> {
    if (write.epoch < this.#epoch) return err({ kind: 'stale-epoch', current: this.#epoch });
    if (this.#ended) return err({ kind: 'not-open', message: `the broadcast of epoch ${this.#epoch} has ended` });
    if (write.epoch > this.#epoch) {
      return err({
        kind: 'not-open',
        message: `epoch ${write.epoch} has not opened the window; it is at ${this.#epoch}`,
      });
    }
    const track = this.#tracks.get(write.rendition);
    if (track === undefined || track.ended) {
      return err({ kind: 'bad-part', message: `no rendition "${write.rendition.slice(0, 40)}" was opened` });
    }
    const expected = track.next;
    if (write.segment !== expected.segment || write.part !== expected.part) {
      return err({ kind: 'unexpected-part', expected });
    }
    const mistake = partMistake(write, track, this.settings);
    if (mistake !== undefined) return err({ kind: 'bad-part', message: mistake });
    const change = track.append(write, this.#startsDiscontinuity(write));
    this.#fresh.delete(track.name);
    if (write.last) this.#forgetDiscontinuities();
    return ok({ track, ...change });
  }

  /** The broadcast of `epoch`, or an earlier one, is over. A later one is left alone. */
  end(epoch: Epoch): Result<readonly WindowChange[], WriteRefusal> {
    if (epoch < this.#epoch) return err({ kind: 'stale-epoch', current: this.#epoch });
    if (this.#ended) return ok([]);
    this.#ended = true;
    this.#epoch = epoch;
    return ok(this.#live().map((track) => changeOf(track, track.end())));
  }

  /** The same publish with the same tracks: nothing new begins. */
  #continues(open: OpenWindow): boolean {
    const live = this.#live();
    return (
      open.publishId === this.#publishId &&
      open.renditions.length === live.length &&
      open.renditions.every((spec) => {
        const track = this.#tracks.get(spec.name);
        return track !== undefined && !track.ended && sameBytes(track.spec.init, spec.init);
      })
    );
  }

  /** All renditions go on with the first number that none of them has begun; one that is not opened again ends. */
  #restart(specs: readonly RenditionSpec[]): readonly WindowChange[] {
    const live = this.#live();
    const begun = live.map(({ next }) => (next.part > 0 ? next.segment + 1 : next.segment));
    const start = Math.max(...begun, this.#identity.firstSegment);
    const discontinuities = Math.max(0, ...live.map((track) => track.discontinuities));
    const isDiscontinuity = (segment: number) => this.#discontinuities.has(segment);
    const changes: WindowChange[] = [];
    for (const track of live) {
      const spec = specs.find((candidate) => candidate.name === track.name);
      changes.push(changeOf(track, spec === undefined ? track.end() : track.restart(spec, start, isDiscontinuity)));
    }
    for (const spec of specs) {
      this.#fresh.add(spec.name);
      if (live.some((track) => track.name === spec.name)) continue;
      const ended = this.#tracks.get(spec.name);
      if (ended !== undefined) changes.push({ track: ended, completed: [], expired: ended.drop() });
      this.#addTrack(spec, start, discontinuities, (ended?.initIndex ?? -1) + 1);
    }
    this.#discontinuities.clear();
    if (start > this.#identity.firstSegment) this.#discontinuities.add(start);
    return changes;
  }

  #addTrack(spec: RenditionSpec, segment: number, discontinuities: number, init = 0): void {
    const start = { segment, discontinuities, init, listedSegments: this.#identity.listedSegments };
    this.#tracks.set(spec.name, new RenditionTrack(spec, this.settings, start));
    this.#fresh.add(spec.name);
  }

  /**
   * Whether the segment that this part begins starts a discontinuity: in one rendition means in all (Apple authoring 8.15).
   * One that comes too late, because another rendition has begun that segment without it, is not written: players
   * recover from a jump in one track, but not from renditions whose discontinuity sequences differ.
   */
  #startsDiscontinuity(write: PartWrite): boolean {
    if (write.part !== 0 || write.segment === this.#identity.firstSegment) return false;
    const begun = (track: RenditionTrack) =>
      track.next.segment > write.segment || (track.next.segment === write.segment && track.next.part > 0);
    if (write.discontinuity && !this.#live().some(begun)) this.#discontinuities.add(write.segment);
    return this.#discontinuities.has(write.segment);
  }

  /** Forgets discontinuities that every rendition has passed. */
  #forgetDiscontinuities(): void {
    const reached = Math.min(...this.#live().map((track) => track.next.segment));
    for (const segment of this.#discontinuities) if (segment < reached) this.#discontinuities.delete(segment);
  }

  #live(): readonly RenditionTrack[] {
    return this.tracks().filter((track) => !track.ended);
  }
}

function changeOf(track: RenditionTrack, change: TrackChange): WindowChange {
  return { track, ...change };
}

/**
 * Requests that wait for a part, of all renditions. Bounded in number and in time; a waiter leaves when its part is there,
 * when its time is up, or when its client goes, whichever is first, and exactly once.
 */
import type { RenditionTrack } from './rendition-track.ts';

/** Why a waiter leaves. `ready`: ask again and be answered, even if with 404. */
export type WaitOutcome = 'ready' | 'timeout' | 'removed' | 'draining';

export interface Waiter {
  readonly track: RenditionTrack;
  /** Media before playlists: a part must be had before the playlist that lists it. */
  readonly kind: 'media' | 'playlist';
  /** Monotonic, ms. */
  readonly deadlineMs: number;
  readonly isReady: () => boolean;
  /**
   * Called once, after the waiter has left. What can wait until all others have been answered too goes to `later`. Must
   * not throw.
   */
  readonly answer: (outcome: WaitOutcome, later: Later) => void;
}

/** Takes work that is to be done after the answers. */
export type Later = (work: () => void) => void;

export class WaitingRoom {
  readonly #rooms = new Map<RenditionTrack, Set<Waiter>>();
  readonly #capacity: number;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#count;
  }

  /** Lets a waiter in; false when the room is full. */
  enter(waiter: Waiter): boolean {
    if (this.#count >= this.#capacity) return false;
    const room = this.#rooms.get(waiter.track) ?? new Set();
    this.#rooms.set(waiter.track, room.add(waiter));
    this.#count++;
    return true;
  }

  /** Takes a waiter out, if it is still in. Returns whether it was. */
  leave(waiter: Waiter): boolean {
    const room = this.#rooms.get(waiter.track);
    if (room === undefined || !room.delete(waiter)) return false;
    if (room.size === 0) this.#rooms.delete(waiter.track);
    this.#count--;
    return true;
  }

  /** Takes out those of a rendition that can be answered: media first, then in order of arrival. */
  takeReady(track: RenditionTrack): readonly Waiter[] {
    const room = this.#rooms.get(track);
    if (room === undefined) return [];
    const ready = [...room].filter((waiter) => waiter.isReady());
    return this.#take([
      ...ready.filter(({ kind }) => kind === 'media'),
      ...ready.filter(({ kind }) => kind === 'playlist'),
    ]);
  }

  /** Takes out those whose time is up. */
  takeOverdue(nowMs: number): readonly Waiter[] {
    return this.#take(this.#all().filter((waiter) => waiter.deadlineMs <= nowMs));
  }

  /** Takes out all of these renditions, or everybody. */
  takeAll(tracks?: readonly RenditionTrack[]): readonly Waiter[] {
    return this.#take(
      tracks === undefined ? this.#all() : tracks.flatMap((track) => [...(this.#rooms.get(track) ?? [])]),
    );
  }

  #all(): Waiter[] {
    return [...this.#rooms.values()].flatMap((room) => [...room]);
  }

  #take(waiters: readonly Waiter[]): readonly Waiter[] {
    for (const waiter of waiters) this.leave(waiter);
    return waiters;
  }
}

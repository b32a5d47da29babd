import type { ViewerSessionId } from './session-id.ts';

/** Who counts a session: an instance, or nobody. */
export type Owner = string | 'nobody';

const keptMs = 60_000;

/**
 * Who began or ceased to count which session in the last minute, bounded: what an instance knows of a session before it
 * hears of it for the first time.
 */
export class RecentOwners {
  readonly #owners = new Map<ViewerSessionId, { readonly owner: Owner; readonly atMs: number }>();
  readonly #capacity: number;
  /** Everything since then is here. */
  #completeSinceMs: number;

  constructor(capacity: number, nowMs: number) {
    this.#capacity = capacity;
    this.#completeSinceMs = nowMs;
  }

  get size(): number {
    return this.#owners.size;
  }

  of(id: ViewerSessionId): Owner | undefined {
    return this.#owners.get(id)?.owner;
  }

  /** Whether nothing said since `ms` is missing. */
  isCompleteSince(ms: number): boolean {
    return ms >= this.#completeSinceMs;
  }

  set(id: ViewerSessionId, owner: Owner, nowMs: number): void {
    this.#owners.delete(id); // so that the map stays in order of time
    this.#owners.set(id, { owner, atMs: nowMs });
    if (this.#owners.size > this.#capacity) this.#dropOldest(1);
  }

  /** An owner began anew: whether it still counts what it did is not known. */
  forgetOwner(owner: Owner): void {
    for (const [id, entry] of this.#owners) if (entry.owner === owner) this.#owners.delete(id);
  }

  sweep(nowMs: number): void {
    let old = 0;
    for (const { atMs } of this.#owners.values()) {
      if (nowMs - atMs <= keptMs) break;
      old++;
    }
    this.#dropOldest(old);
  }

  #dropOldest(count: number): void {
    let left = count;
    for (const [id, { atMs }] of this.#owners) {
      if (left-- <= 0) return;
      this.#owners.delete(id);
      this.#completeSinceMs = Math.max(this.#completeSinceMs, atMs);
    }
  }
}

/**
 * Viewers of each stream: the sum over delivery instances that are alive. Instances say InstanceSeen every 2 s; one that is silent
 * for 6 s takes its viewers with it, and a count of an older incarnation is void.
 *
 * Silence is not measured with other machines' clocks, nor with ours alone: time flows here only while the log of signs of life
 * is seen to flow (every hub writes there too), so an outage of the log, in which everybody is silent, empties no stream.
 */
import type { AudienceCount, InstanceSeen } from '@millrace/events';

export interface AudienceLimits {
  readonly silenceMs: number;
  /** Longest time one sign of life can stand for; a longer gap counts as an outage of the log. */
  readonly longestBeatMs: number;
}

interface Instance {
  incarnation: number;
  /** Flow time of its last sign of life, or of when we first read of it. */
  heardAtMs: number;
  /** Heard of since we read live: what the log kept of it from the past does not count before. */
  alive: boolean;
  readonly viewers: Map<string, number>;
}

const defaultLimits: AudienceLimits = { silenceMs: 6_000, longestBeatMs: 4_000 };

export class AudienceBook {
  readonly #limits: AudienceLimits;
  readonly #instances = new Map<string, Instance>();
  readonly #totals = new Map<string, number>();
  readonly #changed = new Set<string>();
  #flowMs = 0;
  #lastReadMs: number | undefined;

  constructor(limits: AudienceLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Viewers of a stream now. */
  viewers(streamId: string): number {
    return this.#totals.get(streamId) ?? 0;
  }

  get total(): number {
    let sum = 0;
    for (const viewers of this.#totals.values()) sum += viewers;
    return sum;
  }

  /** Streams whose count changed since the last call. */
  takeChanged(): ReadonlySet<string> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }

  /** An instance said that it lives. `live`: read as it was written, not out of the past while we start. `nowMs` is monotonic. */
  instanceSeen(seen: Pick<InstanceSeen, 'instance_id' | 'incarnation'>, nowMs: number, live: boolean): void {
    if (live) this.#flow(nowMs);
    this.#heard(seen.instance_id, seen.incarnation, live);
  }

  /** An instance's sign of life was removed from the log: it is gone for good. */
  instanceRemoved(instanceId: string): void {
    this.#drop(instanceId);
    this.#instances.delete(instanceId);
  }

  /** A count was read; it is a sign of life as well. */
  counted(count: Omit<AudienceCount, 'type' | 'at_ms'>, live: boolean): void {
    const instance = this.#heard(count.instance_id, count.incarnation, live);
    if (instance === undefined) return;
    const viewers = Math.max(0, count.viewers);
    const before = instance.viewers.get(count.stream_id) ?? 0;
    if (viewers === 0) instance.viewers.delete(count.stream_id);
    else instance.viewers.set(count.stream_id, viewers);
    if (instance.alive) this.#add(count.stream_id, viewers - before);
  }

  /** A count was removed from the log. */
  uncounted(streamId: string, instanceId: string): void {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return;
    if (instance.alive) this.#add(streamId, -(instance.viewers.get(streamId) ?? 0));
    instance.viewers.delete(streamId);
  }

  /** Lets the viewers of silent instances go; returns how many instances. */
  expire(): number {
    let expired = 0;
    for (const [instanceId, { heardAtMs, alive }] of this.#instances) {
      if (this.#flowMs - heardAtMs < this.#limits.silenceMs) continue;
      if (alive) expired++;
      this.instanceRemoved(instanceId);
    }
    return expired;
  }

  #flow(nowMs: number): void {
    if (this.#lastReadMs !== undefined) {
      this.#flowMs += Math.min(Math.max(0, nowMs - this.#lastReadMs), this.#limits.longestBeatMs);
    }
    this.#lastReadMs = nowMs;
  }

  /** The instance, if `incarnation` is its present one. */
  #heard(instanceId: string, incarnation: number, live: boolean): Instance | undefined {
    let instance = this.#instances.get(instanceId);
    if (instance !== undefined && incarnation < instance.incarnation) return undefined;
    if (instance === undefined) {
      instance = { incarnation, heardAtMs: this.#flowMs, alive: false, viewers: new Map() };
      this.#instances.set(instanceId, instance);
    }
    if (incarnation > instance.incarnation) {
      this.#drop(instanceId);
      instance.viewers.clear();
      instance.incarnation = incarnation;
    }
    if (live) {
      if (!instance.alive) for (const [streamId, viewers] of instance.viewers) this.#add(streamId, viewers);
      instance.alive = true;
      instance.heardAtMs = this.#flowMs;
    }
    return instance;
  }

  #drop(instanceId: string): void {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined || !instance.alive) return;
    for (const [streamId, viewers] of instance.viewers) this.#add(streamId, -viewers);
    instance.alive = false;
  }

  #add(streamId: string, viewers: number): void {
    if (viewers === 0) return;
    const total = (this.#totals.get(streamId) ?? 0) + viewers;
    if (total === 0) this.#totals.delete(streamId);
    else this.#totals.set(streamId, total);
    this.#changed.add(streamId);
  }
}

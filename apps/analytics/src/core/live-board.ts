/**
 * What is live now and how many watch, from the log alone: ClickHouse may be away. The audience of a stream is the sum over the
 * delivery instances heard of within 6 s; an older incarnation's count is void.
 */
import {
  type AudienceCount,
  foldLiveFact,
  type HealthSample,
  type InstanceSeen,
  type LiveRecord,
  type LiveStreamFact,
} from '@millrace/events';

const instanceTtlMs = 6_000;
const healthStaleMs = 10_000;
const mostStreams = 100_000;

/** What is known of a stream that is or was live. */
export type LiveStream = Pick<LiveRecord, 'streamId' | 'ownerId' | 'state' | 'liveSinceMs' | 'publishId'>;

interface Seen {
  readonly incarnation: number;
  /** Monotonic. */
  readonly heardMs: number;
  /** Earliest time (ms since 1970) at which the incarnation can have begun; 0 where its beginning was not seen. */
  readonly sinceMs: number;
}

/** Folds facts; every reading says how many ms (monotonic) it is now. */
export class LiveBoard {
  readonly #streams = new Map<string, LiveRecord>();
  readonly #instances = new Map<string, Seen>();
  readonly #counts = new Map<string, Map<string, AudienceCount>>();
  readonly #health = new Map<string, { readonly sample: HealthSample; readonly heardMs: number }>();
  readonly #peaks = new Map<string, { readonly publishId: string; readonly viewers: number }>();

  /** A fact of live.streams.v1 and its offset. */
  streamTold(fact: LiveStreamFact, position: bigint): void {
    const before = this.#streams.get(fact.stream_id);
    const entry = foldLiveFact(before, fact, position);
    if (entry === before) return;
    // ended streams are forgotten only under pressure: their epoch keeps late facts out
    this.#streams.delete(fact.stream_id);
    this.#streams.set(fact.stream_id, entry);
    if (entry.ended) this.#peaks.delete(fact.stream_id);
    evict(this.#streams, mostStreams);
  }

  /** An instance lives; `agoMs`: how long ago it said so, where that is not now. */
  instanceSeen(value: InstanceSeen, nowMs: number, agoMs = 0): void {
    const before = this.#instances.get(value.instance_id);
    if (before !== undefined && before.incarnation > value.incarnation) return;
    const anew = before !== undefined && before.incarnation < value.incarnation;
    const sinceMs = anew ? value.at_ms - 2_000 : (before?.sinceMs ?? 0);
    this.#instances.set(value.instance_id, { incarnation: value.incarnation, heardMs: nowMs - agoMs, sinceMs });
  }

  /** `count` undefined: the key `stream/instance` was removed. */
  counted(key: string, count: AudienceCount | undefined, nowMs: number): void {
    const cut = key.lastIndexOf('/');
    const streamId = count?.stream_id ?? key.slice(0, cut);
    const instanceId = count?.instance_id ?? key.slice(cut + 1);
    const counts = this.#counts.get(streamId) ?? new Map<string, AudienceCount>();
    if (count === undefined || count.viewers === 0) counts.delete(instanceId);
    else counts.set(instanceId, count);
    if (counts.size === 0) this.#counts.delete(streamId);
    else this.#counts.set(streamId, counts);
    this.peakOf(streamId, nowMs);
  }

  healthTold(sample: HealthSample, nowMs: number): void {
    this.#health.delete(sample.stream_id);
    this.#health.set(sample.stream_id, { sample, heardMs: nowMs });
    evict(this.#health, mostStreams);
  }

  stream(streamId: string): LiveStream | undefined {
    return this.#streams.get(streamId);
  }

  /** Streams that are live or interrupted. */
  *live(): IterableIterator<LiveStream> {
    for (const entry of this.#streams.values()) if (entry.state !== 'idle') yield entry;
  }

  viewers(streamId: string, nowMs: number): number {
    let sum = 0;
    for (const count of this.#counts.get(streamId)?.values() ?? []) {
      const seen = this.#instances.get(count.instance_id);
      if (seen === undefined || nowMs - seen.heardMs > instanceTtlMs || seen.incarnation > count.incarnation) continue;
      sum += count.viewers;
    }
    return sum;
  }

  /** Most viewers seen here since the stream went live. */
  peakOf(streamId: string, nowMs: number): number {
    const entry = this.#streams.get(streamId);
    if (entry === undefined || entry.state === 'idle') return 0;
    const before = this.#peaks.get(streamId);
    const known = before?.publishId === entry.publishId ? before.viewers : 0;
    const viewers = Math.max(known, this.viewers(streamId, nowMs));
    this.#peaks.set(streamId, { publishId: entry.publishId, viewers });
    return viewers;
  }

  health(streamId: string, nowMs: number): HealthSample | undefined {
    const known = this.#health.get(streamId);
    return known === undefined || nowMs - known.heardMs > healthStaleMs ? undefined : known.sample;
  }

  /** Instances that live, and since when (ms since 1970, 0: not known). */
  instances(nowMs: number): ReadonlyMap<string, number> {
    const alive = [...this.#instances].filter(([, seen]) => nowMs - seen.heardMs <= instanceTtlMs);
    return new Map(alive.map(([id, seen]) => [id, seen.sinceMs]));
  }
}

function evict(map: Map<string, unknown>, capacity: number): void {
  if (map.size <= capacity) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/**
 * Entities folded from the log, with the last changes kept so that a client can be told what it missed. Partitions are read in
 * another order by each instance, so a change is kept as what it did to one part of an entity, with the offset it came from:
 * undoing every change beyond a client's position gives exactly what the client knows, whichever instance had told it.
 */
import { encodePosition, isBehind, type LogPosition, offsetAt } from './log-position.ts';

/** Where a record stood. */
export interface Place {
  /** Index of its topic among those of the board. */
  readonly topic: number;
  readonly partition: number;
  readonly offset: bigint;
}

interface Entry<E> {
  readonly id: string;
  readonly place: Place;
  readonly undo: Partial<E>;
  readonly redo: Partial<E>;
}

/** One entity before and after one record. */
export interface Step<E> {
  readonly id: string;
  readonly before: E;
  readonly after: E;
}

/**
 * `ahead`: the client knows more than this instance has read so far. `lost`: what it missed is not kept any more. `known`: `since`
 * can tell.
 */
export type Standing = 'known' | 'ahead' | 'lost';

export class Timeline<E extends object> {
  readonly #empty: E;
  readonly #capacity: number;
  readonly #entities = new Map<string, E>();
  /** A ring: the oldest is at `#first` once it is full. */
  readonly #entries: Entry<E>[] = [];
  readonly #position: bigint[][];
  /** Changes at or beyond these offsets are kept. */
  readonly #floor: bigint[][];
  #first = 0;
  #encoded: string | undefined;

  /** `empty` is an entity of which nothing is known; `capacity` the changes that are kept. */
  constructor(options: { readonly topics: number; readonly empty: E; readonly capacity: number }) {
    this.#empty = options.empty;
    this.#capacity = options.capacity;
    this.#position = Array.from({ length: options.topics }, () => []);
    this.#floor = Array.from({ length: options.topics }, () => []);
  }

  get(id: string): E {
    return this.#entities.get(id) ?? this.#empty;
  }

  entities(): IterableIterator<[string, E]> {
    return this.#entities.entries();
  }

  get size(): number {
    return this.#entities.size;
  }

  /** Text of what has been read. */
  get position(): string {
    return (this.#encoded ??= encodePosition(this.#position));
  }

  /** A record was read that changes nothing; false when it had been read before. */
  pass(place: Place): boolean {
    const { topic, partition, offset } = place;
    const known = this.#position[topic]?.[partition];
    if (known !== undefined && offset < known) return false;
    const partitions = this.#position[topic];
    if (partitions === undefined) throw new Error(`expected a topic of the board, got number ${topic}`);
    for (let at = partitions.length; at < partition; at++) partitions.push(0n);
    partitions[partition] = offset + 1n;
    // What stood before the first record that is still there cannot be told any more.
    if (known === undefined || known === 0n) this.#raiseFloor(topic, partition, offset);
    this.#encoded = undefined;
    return true;
  }

  /** A record changed parts of an entity; undefined when it had been read before. */
  change(id: string, place: Place, redo: Partial<E>): Step<E> | undefined {
    if (!this.pass(place)) return undefined;
    const before = this.get(id);
    const after = { ...before, ...redo };
    const undo: Partial<E> = {};
    for (const part of Object.keys(redo) as (keyof E)[]) undo[part] = before[part];
    this.#entities.set(id, after);
    this.#keep({ id, place, undo, redo });
    return { id, before, after };
  }

  /** Forgets an entity that nobody can see; its changes stay. */
  forget(id: string): void {
    this.#entities.delete(id);
  }

  /** A compacted topic has been read: what was compacted away before now cannot be told. */
  beginHere(topic: number): void {
    this.#position[topic]?.forEach((offset, partition) => this.#raiseFloor(topic, partition, offset));
  }

  standing(client: LogPosition): Standing {
    if (isBehind(this.#position, client)) return 'ahead';
    return isBehind(client, this.#floor) ? 'lost' : 'known';
  }

  /** What a client at `client` missed, in the order it happened here, of one entity or of all. Needs standing `known`. */
  since(client: LogPosition, id?: string): readonly Step<E>[] {
    const missed: Entry<E>[] = [];
    const states = new Map<string, E>();
    for (let back = this.#entries.length - 1; back >= 0; back--) {
      const entry = this.#entries[(this.#first + back) % this.#entries.length];
      if (entry === undefined || (id !== undefined && entry.id !== id)) continue;
      const { topic, partition, offset } = entry.place;
      if (offset < offsetAt(client, topic, partition)) continue;
      missed.push(entry);
      states.set(entry.id, { ...(states.get(entry.id) ?? this.get(entry.id)), ...entry.undo });
    }
    return missed.reverse().map((entry) => {
      const before = states.get(entry.id) ?? this.#empty;
      const after = { ...before, ...entry.redo };
      states.set(entry.id, after);
      return { id: entry.id, before, after };
    });
  }

  #keep(entry: Entry<E>): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
      return;
    }
    const evicted = this.#entries[this.#first];
    this.#entries[this.#first] = entry;
    this.#first = (this.#first + 1) % this.#capacity;
    if (evicted) this.#raiseFloor(evicted.place.topic, evicted.place.partition, evicted.place.offset + 1n);
  }

  #raiseFloor(topic: number, partition: number, offset: bigint): void {
    const floors = this.#floor[topic];
    if (floors === undefined) return;
    for (let at = floors.length; at < partition; at++) floors.push(0n);
    if (offset > (floors[partition] ?? 0n)) floors[partition] = offset;
    else floors[partition] ??= 0n;
  }
}

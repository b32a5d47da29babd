/** Entities of one kind as the log tells of them, and what each view sees change. */
import type { ChannelPosition, HubChange } from '@millrace/api';
import type { BoardShape } from './board-shape.ts';
import { decodePosition } from './log-position.ts';
import { type Place, type Standing, type Step, Timeline } from './timeline.ts';
import type { View } from './view.ts';

export interface BoardOptions<E extends object> {
  readonly shape: BoardShape<E>;
  readonly empty: E;
  readonly topics: number;
  /** Changes that are kept for clients that return. */
  readonly history: number;
  /** Entities without a definition or with an end that are kept; beyond it the oldest go. */
  readonly spare: number;
  /** Whether nobody would miss the entity. */
  readonly isSpare: (state: E) => boolean;
}

export class Board<E extends object> {
  readonly shape: BoardShape<E>;
  readonly #timeline: Timeline<E>;
  readonly #options: BoardOptions<E>;
  readonly #spare = new Set<string>();
  readonly #unread: Set<number>;
  #epoch = '';
  #onStep: (step: Step<E>) => void = () => {};

  constructor(options: BoardOptions<E>) {
    this.#options = options;
    this.shape = options.shape;
    this.#timeline = new Timeline<E>({ topics: options.topics, empty: options.empty, capacity: options.history });
    this.#unread = new Set(Array.from({ length: options.topics }, (_, topic) => topic));
  }

  /** Whether all that was in the log at the start has been read. */
  get isReady(): boolean {
    return this.#epoch !== '' && this.#unread.size === 0;
  }

  get position(): ChannelPosition {
    return { epoch: this.#epoch, offset: this.#timeline.position };
  }

  /** Names the history that positions are of. */
  begin(epoch: string): void {
    this.#epoch = epoch;
  }

  /** All of a topic that was there at the start has been read. */
  caughtUp(topic: number, compacted: boolean): void {
    if (compacted) this.#timeline.beginHere(topic);
    this.#unread.delete(topic);
  }

  /** One who is told of every change from now on. */
  onStep(listener: (step: Step<E>) => void): void {
    this.#onStep = listener;
  }

  get(id: string): E {
    return this.#timeline.get(id);
  }

  get size(): number {
    return this.#timeline.size;
  }

  pass(place: Place): void {
    this.#timeline.pass(place);
  }

  change(id: string, place: Place, redo: Partial<E>): void {
    const step = this.#timeline.change(id, place, redo);
    if (step === undefined) return;
    this.#onStep(step);
    this.#spare.delete(id);
    if (!this.#options.isSpare(step.after)) return;
    this.#spare.add(id);
    if (this.#spare.size <= this.#options.spare) return;
    for (const oldest of this.#spare) {
      this.#spare.delete(oldest);
      this.#timeline.forget(oldest);
      return;
    }
  }

  /** How a client's position stands to what is kept here. A position that cannot be read, or is of another log, is lost. */
  standing(after: ChannelPosition): Standing {
    if (after.epoch !== this.#epoch) return 'lost';
    const position = decodePosition(after.offset, this.#options.topics);
    return position.ok ? this.#timeline.standing(position.value) : 'lost';
  }

  /** What `view` would have been told since `after`, of one entity or of its list. Needs standing `known`. */
  missed(after: ChannelPosition, view: View, id: string | undefined): HubChange[] {
    const position = decodePosition(after.offset, this.#options.topics);
    if (!position.ok) return [];
    const steps = this.#timeline.since(position.value, id);
    return steps.flatMap((step) => this.seen(view, step, id === undefined) ?? []);
  }

  /** What `view` is told of a step; undefined: nothing. */
  seen(view: View, { id, before, after }: Step<E>, inList: boolean): HubChange | undefined {
    const { shape } = this;
    const was = shape.sees(view, before, inList);
    if (!shape.sees(view, after, inList)) return was ? shape.removed(id) : undefined;
    const now = shape.show(view, id, after);
    if (was && JSON.stringify(shape.show(view, id, before)) === JSON.stringify(now)) return undefined;
    return now;
  }

  /** Ids and states that `view` sees: one entity, or its list. */
  *visible(view: View, id: string | undefined): Generator<readonly [string, E]> {
    if (id !== undefined) {
      const state = this.get(id);
      if (this.shape.sees(view, state, false)) yield [id, state];
      return;
    }
    for (const entry of this.#timeline.entities()) if (this.shape.sees(view, entry[1], true)) yield entry;
  }
}

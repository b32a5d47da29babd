/**
 * Who listens to what. Subscribers of one channel with equal eyes are a group: what changes is worked out and serialised once for
 * the group. A subscriber gets a snapshot (or what it missed) and from then on every change, each exactly once: what the group
 * has not sent yet goes out before the newcomer is let in.
 */
import type { Channel, ChannelPosition, HubChange } from '@millrace/api';
import type { Board } from './board.ts';
import type { ConflatedKind } from './board-shape.ts';
import { ChannelGroup, type Subscriber } from './channel-group.ts';
import { SharedMessage } from './shared-message.ts';
import type { Step } from './timeline.ts';
import { type View, viewKey } from './view.ts';

/** `wait`: this instance has yet to read what the answer depends on. */
export type JoinOutcome = 'snapshot' | 'recovered' | 'wait' | 'gone' | 'forbidden';

export interface ChannelsDeps {
  /** Sends one message to many, in order after what they were sent before. */
  readonly broadcast: (subscribers: Iterable<Subscriber>, message: SharedMessage) => void;
  /** Calls back soon, once: changes until then go out together. */
  readonly soon: (callback: () => void) => void;
}

/** Most changes in one message; the conflated rest waits for the next turn. */
const changesPerMessage = 250;

export class Channels<E extends object> {
  readonly #board: Board<E>;
  readonly #deps: ChannelsDeps;
  readonly #groups = new Map<string, ChannelGroup>();
  readonly #byEntity = new Map<string, Set<ChannelGroup>>();
  /** Answers to subscribers that come with the same wish while nothing changes: a storm of returning clients. */
  readonly #answers = new Map<string, SharedMessage>();
  readonly #due = new Set<ChannelGroup>();
  readonly #conflating = new Set<ChannelGroup>();

  constructor(board: Board<E>, deps: ChannelsDeps) {
    this.#board = board;
    this.#deps = deps;
    board.onStep((step) => this.#onStep(step));
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /**
   * Lets a subscriber in and sends it its first message. `patient`: better wait than say `gone` to one who may only be ahead of what
   * was read here, or begin anew with one whose position is.
   */
  join(subscriber: Subscriber, after: ChannelPosition | undefined, patient: boolean): JoinOutcome {
    const { shape, isReady } = this.#board;
    if (!isReady) return 'wait';
    const { channel } = subscriber;
    const name = channel === shape.list ? undefined : channel.slice(shape.prefix.length);
    const id = name === undefined ? undefined : shape.resolve(name);
    if (name !== undefined && id === undefined) return patient ? 'wait' : 'gone';
    const view = id === undefined ? subscriber.view : this.#viewOfEntity(subscriber.view, id);
    if (view === undefined || (id === undefined && !shape.mayList(view))) return 'forbidden';
    if (id !== undefined && !shape.sees(view, this.#board.get(id), false)) return 'forbidden';
    const standing = after === undefined ? 'lost' : this.#board.standing(after);
    if (standing === 'ahead' && patient) return 'wait';
    const group = this.#groupOf(channel, id, view);
    this.#send(group);
    const recovers = after !== undefined && standing === 'known';
    subscriber.deliver(recovers ? this.#recovered(group, after) : this.#snapshot(group));
    group.subscribers.add(subscriber);
    subscriber.group = group;
    return recovers ? 'recovered' : 'snapshot';
  }

  leave(subscriber: Subscriber): void {
    const { group } = subscriber;
    if (group === undefined) return;
    subscriber.group = undefined;
    group.subscribers.delete(subscriber);
    if (group.subscribers.size > 0) return;
    this.#groups.delete(group.key);
    this.#due.delete(group);
    this.#conflating.delete(group);
    const { id } = group;
    if (id === undefined) return;
    const groups = this.#byEntity.get(id);
    groups?.delete(group);
    if (groups?.size === 0) this.#byEntity.delete(id);
  }

  /** A conflated value changed; it goes out with the next `sendConflated`. */
  touch(kind: ConflatedKind, id: string): void {
    this.#answers.clear();
    const state = this.#board.get(id);
    for (const group of this.#groupsOf(id, state, state)) {
      if (!this.#board.shape.sees(group.view, state, group.id === undefined)) continue;
      group.touched.set(`${kind} ${id}`, { kind, id });
      this.#conflating.add(group);
    }
  }

  /** Sends the newest conflated values, and all of them to who had to be left out before. */
  sendConflated(behind: Iterable<Subscriber>): void {
    for (const group of [...this.#conflating]) {
      const taken = [...group.touched.entries()].slice(0, changesPerMessage);
      for (const [key] of taken) group.touched.delete(key);
      if (group.touched.size === 0) this.#conflating.delete(group);
      this.#conflated(
        group,
        group.subscribers,
        taken.map(([, touched]) => touched),
      );
    }
    const refreshed = new Map<ChannelGroup, Subscriber[]>();
    for (const subscriber of behind) {
      if (subscriber.group === undefined) continue;
      const others = refreshed.get(subscriber.group);
      if (others === undefined) refreshed.set(subscriber.group, [subscriber]);
      else others.push(subscriber);
    }
    for (const [group, subscribers] of refreshed) {
      const all = [...this.#board.visible(group.view, group.id)].flatMap(([id]) => [
        { kind: 'counted' as const, id },
        { kind: 'measured' as const, id },
      ]);
      this.#conflated(group, subscribers, all);
    }
  }

  /** Sends what has changed; called by itself soon after a change. */
  sendDue(): void {
    for (const group of this.#due) this.#send(group);
    this.#due.clear();
  }

  #onStep(step: Step<E>): void {
    this.#answers.clear();
    const { shape } = this.#board;
    for (const group of [...this.#groupsOf(step.id, step.before, step.after)]) {
      if (group.id !== undefined && !shape.sees(group.view, step.after, false)) {
        this.#end(group, shape.exists(step.after) ? 'forbidden' : 'gone');
        continue;
      }
      const change = this.#board.seen(group.view, step, group.id === undefined);
      if (change === undefined) continue;
      group.pending.push(change);
      if (this.#due.size === 0) this.#deps.soon(() => this.sendDue());
      this.#due.add(group);
    }
  }

  #end(group: ChannelGroup, reason: 'forbidden' | 'gone'): void {
    this.#send(group);
    const detail = reason === 'gone' ? 'it was deleted' : 'it is not for everybody any more';
    for (const subscriber of [...group.subscribers]) {
      this.leave(subscriber);
      subscriber.ended(reason, detail);
    }
  }

  #send(group: ChannelGroup): void {
    if (group.pending.length === 0) return;
    const changes = group.pending.splice(0);
    const { channel } = group;
    const { position } = this.#board;
    this.#deps.broadcast(group.subscribers, new SharedMessage({ op: 'delta', channel, position, changes }));
  }

  #conflated(
    group: ChannelGroup,
    subscribers: Iterable<Subscriber>,
    touched: readonly { readonly kind: ConflatedKind; readonly id: string }[],
  ): void {
    const { shape } = this.#board;
    const changes = touched.flatMap(({ kind, id }) => {
      const state = this.#board.get(id);
      if (!shape.sees(group.view, state, group.id === undefined)) return [];
      return shape.conflated(kind, group.view, id, state) ?? [];
    });
    if (changes.length === 0) return;
    // States go first: a count may be of a stream that is not known yet.
    this.#send(group);
    const { channel } = group;
    this.#deps.broadcast(subscribers, new SharedMessage({ op: 'delta', channel, changes }, true));
  }

  #snapshot(group: ChannelGroup): SharedMessage {
    return this.#answer(group.key, () => {
      const { shape, position } = this.#board;
      const visible = [...this.#board.visible(group.view, group.id)];
      const shown = visible.map(([id, state]) => shape.show(group.view, id, state));
      return { op: 'snapshot', channel: group.channel, position, ...shape.listing(shown) };
    });
  }

  #recovered(group: ChannelGroup, after: ChannelPosition): SharedMessage {
    return this.#answer(`${group.key} ${after.offset}`, () => {
      const { shape, position } = this.#board;
      const newest = [...this.#board.visible(group.view, group.id)].flatMap(([id, state]) => [
        shape.conflated('counted', group.view, id, state) ?? [],
        shape.conflated('measured', group.view, id, state) ?? [],
      ]);
      const changes: HubChange[] = [...this.#board.missed(after, group.view, group.id), ...newest.flat()];
      return { op: 'recovered', channel: group.channel, position, changes };
    });
  }

  #answer(key: string, build: () => SharedMessage['message']): SharedMessage {
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = new SharedMessage(build());
      if (this.#answers.size >= 1_000) this.#answers.clear();
      this.#answers.set(key, answer);
    }
    return answer;
  }

  /** A token's holder sees an entity that is not his as a stranger does. */
  #viewOfEntity(view: View, id: string): View | undefined {
    const { shape } = this.#board;
    if (view.kind !== 'owner' || shape.ownerOf(this.#board.get(id)) === view.ownerId) return view;
    return shape.strangersView();
  }

  #groupOf(channel: Channel, id: string | undefined, view: View): ChannelGroup {
    const key = `${channel} ${viewKey(view)}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new ChannelGroup(key, channel, id, view);
      this.#groups.set(key, group);
      if (id !== undefined) {
        const groups = this.#byEntity.get(id) ?? new Set();
        this.#byEntity.set(id, groups.add(group));
      }
    }
    return group;
  }

  /** Groups that may see an entity before or after a step: a few, found by key. */
  #groupsOf(id: string, before: E, after: E): Set<ChannelGroup> {
    const { shape } = this.#board;
    const groups = new Set(this.#byEntity.get(id));
    const owners = [shape.ownerOf(before), shape.ownerOf(after)];
    for (const key of ['public', 'admin', ...owners.map((ownerId) => `owner:${ownerId}`)]) {
      const group = this.#groups.get(`${shape.list} ${key}`);
      if (group !== undefined) groups.add(group);
    }
    return groups;
  }
}

/** The EventLog port on a LogStore: groups, followers and tables, the same for every store. */
import { type Clock, sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { type IdSource, newId } from '@millrace/ids';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { ConsumeOptions, Consumer, EventLog, Follower, FollowOptions, NewRecord, Table } from './event-log.ts';
import { GroupMember } from './group-member.ts';
import type { LogStore } from './log-store.ts';
import { encodeRecord } from './record-codec.ts';
import { TableCopy } from './table-copy.ts';
import { type ReaderDeps, TopicFollower } from './topic-follower.ts';
import { Wakeup } from './wakeup.ts';

export interface StoreEventLogDeps extends ReaderDeps {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** CloudEvents source of records that name none. */
  readonly source: string;
}

export class StoreEventLog implements EventLog {
  readonly #deps: StoreEventLogDeps;
  readonly #members = new Set<GroupMember>();
  readonly #readers = new Set<AsyncDisposable>();
  readonly #sync = new Wakeup();
  readonly #syncing: Background;
  readonly #stopListening: () => void;
  #closing: Promise<void> | undefined;

  constructor(deps: StoreEventLogDeps) {
    this.#deps = deps;
    this.#stopListening = deps.store.groups.onChange(() => {
      if (this.#members.size > 0) this.#sync.ring();
    });
    this.#syncing = new Background(
      (signal) => this.#syncLoop(signal),
      (error) => deps.log.error('log-groups-crashed', { error }),
    );
  }

  async publish(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#deps.store.append(
      [...new Set(records.map((one) => one.topic))],
      records.map((one) => encodeRecord(one, { ids: this.#deps.ids, source: this.#deps.source })),
    );
  }

  async consume<T>(options: ConsumeOptions<T>): Promise<Consumer> {
    const member = new GroupMember(
      {
        ...this.#deps,
        member: newId('evt', this.#deps.ids).replace('evt_', 'member_'),
        publish: (records) => this.publish(records),
        requestSync: () => this.#sync.ring(),
        onClosed: (closed) => this.#members.delete(closed),
      },
      // The batches of one consumer carry the values of its own topics, decoded by their schemas.
      options as unknown as ConsumeOptions<unknown>,
    );
    this.#members.add(member);
    this.#sync.ring();
    return member;
  }

  async follow<T>(options: FollowOptions<T>): Promise<Follower> {
    const follower = this.#own(new TopicFollower(this.#deps, options));
    await follower.positioned;
    return follower;
  }

  async identity(signal?: AbortSignal): Promise<string> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#deps.store.identity();
      } catch (error) {
        signal?.throwIfAborted();
        if (this.#closing !== undefined) throw error;
        await sleep(this.#deps.clock, backoffMs(failures, 100, 5_000, this.#deps.random()), signal);
      }
    }
  }

  table<T>(topic: Topic<T>): Table<T> {
    if (topic.kind !== 'state') throw new Error(`a table needs a state topic, ${topic.name} holds ${topic.kind}`);
    return this.#own(
      new TableCopy<T>((onRecord) => new TopicFollower(this.#deps, { topic, from: 'last-values', onRecord })),
    );
  }

  /** Members of groups that this log runs, for tests and metrics. */
  get members(): Iterable<GroupMember> {
    return this.#members;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member[Symbol.asyncDispose]()));
    await Promise.all([...this.#readers].map((reader) => reader[Symbol.asyncDispose]()));
    this.#stopListening();
    await this.#syncing[Symbol.asyncDispose]();
    await this.#deps.store[Symbol.asyncDispose]();
  }

  #own<R extends AsyncDisposable>(reader: R): R {
    const close = reader[Symbol.asyncDispose].bind(reader);
    this.#readers.add(reader);
    reader[Symbol.asyncDispose] = () => {
      this.#readers.delete(reader);
      return close();
    };
    return reader;
  }

  /** Keeps every local member's lease and view fresh, all groups in one call to the store. */
  async #syncLoop(signal: AbortSignal): Promise<void> {
    const { groups } = this.#deps.store;
    while (!signal.aborted) {
      const idle = this.#members.size === 0;
      await this.#sync.wait(signal, this.#deps.clock, idle ? undefined : groups.heartbeatMs);
      if (signal.aborted) return;
      const members = [...this.#members];
      if (members.length === 0) continue;
      try {
        const asOf = members.map((member) => member.changes);
        const views = await groups.sync(members.map((member) => member.membership));
        for (const view of views) {
          members.forEach((member, index) => {
            if (member.membership.group === view.group) member.applyView(view, asOf[index] ?? 0);
          });
        }
        for (const member of members) {
          for (const [topic, lag] of member.lagByTopic()) {
            this.#deps.observer.lag(member.membership.group, topic, lag);
          }
        }
      } catch (error) {
        this.#deps.log.warn('log-heartbeat-failed', { error });
        await sleep(this.#deps.clock, 500, signal);
        this.#sync.ring();
      }
    }
  }
}

/** A member of a group: holds its share of the partitions, one worker each, and commits what they have handled. */
import { type Clock, sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { rebalance } from './assignment.ts';
import type { ConsumeOptions, Consumer } from './event-log.ts';
import type { CommitPosition, GroupView, Membership, TopicPartition } from './log-store.ts';
import { PartitionWorker, type WorkerDeps } from './partition-worker.ts';
import { Wakeup } from './wakeup.ts';

export interface MemberDeps extends Omit<WorkerDeps, 'commit' | 'onProgress'> {
  readonly clock: Clock;
  readonly member: string;
  /** Asks for a fresh view of the group. */
  requestSync(): void;
  onClosed(member: GroupMember): void;
}

const idOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

export class GroupMember implements Consumer {
  readonly membership: Membership;
  readonly #deps: MemberDeps;
  readonly #options: ConsumeOptions<unknown>;
  readonly #topics: ReadonlyMap<string, Topic>;
  readonly #workers = new Map<string, PartitionWorker>();
  readonly #abort = new AbortController();
  readonly #progress = new Wakeup();
  readonly #committing: Promise<void>;
  readonly #stopListening: () => void;
  #applying: Promise<void> | undefined;
  #nextView: { readonly view: GroupView; readonly asOf: number } | undefined;
  #changes = 0;
  #paused = false;
  #closing: Promise<void> | undefined;

  constructor(deps: MemberDeps, options: ConsumeOptions<unknown>) {
    this.#deps = deps;
    this.#options = options;
    this.membership = { group: options.group, member: deps.member, topics: options.topics };
    this.#topics = new Map(options.topics.map((topic) => [topic.name, topic]));
    this.#stopListening = deps.store.onAdvance((topic, partition, end) => {
      this.#workers.get(idOf({ topic, partition }))?.advancedTo(end);
    });
    this.#committing = this.#commitLoop(this.#abort.signal);
  }

  /** Rises when this member takes or lets go of partitions: a view asked for at a lower count is out of date. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Takes and lets go of partitions as the view asks, which was asked for when `changes` was `asOf`. One at a time; of
   * views that come meanwhile the last counts.
   */
  applyView(view: GroupView, asOf: number): void {
    this.#nextView = { view, asOf };
    if (this.#applying !== undefined) return;
    this.#applying = this.#applyViews().finally(() => {
      this.#applying = undefined;
      if (this.#nextView !== undefined) this.applyView(this.#nextView.view, this.#nextView.asOf);
    });
  }

  pause(): void {
    this.#paused = true;
    for (const worker of this.#workers.values()) worker.setPaused(true);
  }

  resume(): void {
    this.#paused = false;
    for (const worker of this.#workers.values()) worker.setPaused(false);
  }

  async lag(): Promise<ReadonlyMap<string, bigint>> {
    return new Map([...this.#workers].map(([id, worker]) => [id, worker.lag]));
  }

  /** Records not yet handled, by topic. */
  lagByTopic(): ReadonlyMap<string, number> {
    const lags = new Map<string, number>();
    for (const { topic, lag } of this.#workers.values()) lags.set(topic, (lags.get(topic) ?? 0) + Number(lag));
    return lags;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    this.#stopListening();
    this.#deps.onClosed(this);
    await this.#applying;
    await Promise.all([
      this.#committing,
      ...[...this.#workers.values()].map((worker) => worker[Symbol.asyncDispose]()),
    ]);
    try {
      await this.#commit([...this.#workers.values()]);
      await this.#deps.store.groups.leave(this.#options.group, this.#deps.member);
    } catch (error) {
      // The lease runs out by itself and the records since the last commit are delivered again.
      this.#deps.log.warn('log-leave-failed', { group: this.#options.group, error });
    }
    this.#workers.clear();
  }

  async #applyViews(): Promise<void> {
    try {
      for (let next = this.#nextView; next !== undefined; next = this.#nextView) {
        this.#nextView = undefined;
        if (next.asOf === this.#changes) await this.#apply(next.view);
        else this.#deps.requestSync();
      }
    } catch (error) {
      this.#deps.log.warn('log-rebalance-failed', { group: this.#options.group, error }); // the next heartbeat tries again
    }
  }

  async #apply(view: GroupView): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const { groups } = this.#deps.store;
    const { group, member } = this.membership;
    const owners = new Map(view.partitions.map((p) => [idOf(p), p.owner]));
    const lost = [...this.#workers.values()].filter((worker) => owners.get(idOf(worker)) !== member);
    await this.#drop(lost);
    const { release, claim } = rebalance(view, member, [...this.#workers.values()]);
    if (release.length > 0 || claim.length > 0) this.#changes++;
    if (release.length > 0) {
      const released = release.flatMap((p) => this.#workers.get(idOf(p)) ?? []);
      await this.#drop(released);
      await this.#commit(released);
      await groups.release(group, member, release);
    }
    if (claim.length === 0 || this.#abort.signal.aborted) return;
    for (const claimed of await groups.claim(group, member, claim)) {
      const topic = this.#topics.get(claimed.topic);
      if (topic === undefined) continue;
      this.#workers.set(
        idOf(claimed),
        new PartitionWorker(this.#workerDeps(), this.#options, topic, claimed, this.#paused),
      );
    }
  }

  #workerDeps(): WorkerDeps {
    return {
      ...this.#deps,
      commit: async (position) => {
        const refused = await this.#deps.store.groups.commit(this.#options.group, this.#deps.member, [position]);
        if (refused.length > 0) {
          this.#deps.requestSync();
          throw new Error(`${idOf(position)} is with another member of ${this.#options.group}: commit refused`);
        }
      },
      onProgress: () => this.#progress.ring(),
    };
  }

  async #drop(workers: readonly PartitionWorker[]): Promise<void> {
    for (const worker of workers) this.#workers.delete(idOf(worker));
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  }

  async #commitLoop(signal: AbortSignal): Promise<void> {
    const { groups } = this.#deps.store;
    for (;;) {
      await this.#progress.wait(signal);
      if (signal.aborted) return;
      try {
        await this.#commit([...this.#workers.values()]);
      } catch (error) {
        this.#deps.log.debug('log-commit-failed', { group: this.#options.group, error });
        this.#progress.ring();
        await sleep(this.#deps.clock, 1_000, signal);
      }
      if (groups.commitIntervalMs > 0) await sleep(this.#deps.clock, groups.commitIntervalMs, signal);
    }
  }

  async #commit(workers: readonly PartitionWorker[]): Promise<void> {
    const positions: CommitPosition[] = [];
    for (const { uncommitted } of workers) if (uncommitted !== undefined) positions.push(uncommitted);
    if (positions.length === 0) return;
    const refused = await this.#deps.store.groups.commit(this.#options.group, this.#deps.member, positions);
    const refusedIds = new Set(refused.map(idOf));
    for (const position of positions) {
      if (refusedIds.has(idOf(position))) continue;
      workers.find((worker) => idOf(worker) === idOf(position))?.committedTo(position.offset, position.metadata);
    }
    if (refused.length > 0) this.#deps.requestSync();
  }
}

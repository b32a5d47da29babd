/**
 * Every broadcast of this ingest by stream: feeds signals to `publish-session.ts` and runs its effects through the ports.
 * It is the only owner of this state; connections hold a `PublishHandle` and nothing else.
 */
import type { Clock, Timer } from '@millrace/clock';
import type { MediaTag } from '@millrace/flv';
import type { Epoch, KeyId, StreamId } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import { HealthMonitor } from './health-monitor.ts';
import type { EpochSource, FactSink, Publisher, SourceFeed, SourceOpener } from './ports.ts';
import { transition } from './publish-session.ts';
import {
  type Broadcast,
  type Effect,
  type LossReason,
  onAirOf,
  type PublisherId,
  type PublishSignal,
  type PublishState,
} from './publish-state.ts';

export interface RegisterDeps {
  readonly clock: Clock;
  readonly epochs: EpochSource;
  readonly sources: SourceOpener;
  readonly facts: FactSink;
  readonly reconnectWindowMs: number;
}

/** What a connection tells of its publish. After the broadcast went on without it, its words change nothing. */
export interface PublishHandle {
  /** Takes a tag; false: pause until `Publisher.resume`. */
  tag(tag: MediaTag): boolean;
  /** A media message that was left out: `problem` is what a broadcaster should know of it. */
  leftOut(problem: string | undefined): void;
  finished(): void;
  lost(reason: LossReason): void;
}

interface Entry {
  state: PublishState;
  source: SourceFeed | undefined;
  health: HealthMonitor | undefined;
  window: Timer | undefined;
}

const healthPeriodMs = 1_000;
const nobody: PublishHandle = { tag: () => true, leftOut: () => {}, finished: () => {}, lost: () => {} };

export class BroadcastRegister implements Disposable {
  readonly #deps: RegisterDeps;
  readonly #entries = new Map<StreamId, Entry>();
  readonly #publishers = new Map<PublisherId, Publisher>();
  readonly #health: Timer;
  #ids = 0;
  #draining = false;

  constructor(deps: RegisterDeps) {
    this.#deps = deps;
    this.#health = deps.clock.every(healthPeriodMs, () => this.#sampleHealth());
  }

  /** Broadcasts by state, for gauges. */
  count(kind: 'authorised' | 'live' | 'interrupted'): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.state.kind === kind) count++;
    return count;
  }

  /** A publisher showed a key of `broadcast.streamId` that was granted; it is started or refused during the call. */
  publish(publisher: Publisher, broadcast: Broadcast): PublishHandle {
    if (this.#draining) {
      publisher.refuse('draining');
      return nobody;
    }
    const id = ++this.#ids;
    const { streamId } = broadcast;
    this.#publishers.set(id, publisher);
    if (!this.#entries.has(streamId)) {
      this.#entries.set(streamId, {
        state: { kind: 'connecting' },
        source: undefined,
        health: undefined,
        window: undefined,
      });
    }
    this.#signal(streamId, { kind: 'granted', publisher: id, broadcast });
    let started = false;
    const current = () => {
      const entry = this.#entries.get(streamId);
      if (entry === undefined) return undefined;
      if (!started && entry.state.kind === 'authorised' && entry.state.publisher === id) {
        started = true;
        this.#signal(streamId, { kind: 'media', publisher: id, epoch: this.#deps.epochs.next(streamId) });
      }
      return entry.state.kind === 'live' && entry.state.publisher === id ? entry : undefined;
    };
    const over = (signal: PublishSignal) => {
      this.#publishers.delete(id);
      this.#signal(streamId, signal);
    };
    return {
      tag: (tag) => {
        const entry = current();
        entry?.health?.tag(tag, this.#deps.clock.monotonicMs());
        return entry?.source?.tag(tag) ?? true;
      },
      leftOut: (problem) => current()?.health?.leftOut(problem),
      finished: () => over({ kind: 'finished', publisher: id }),
      lost: (reason) => over({ kind: 'lost', publisher: id, reason }),
    };
  }

  keyRevoked(keyId: KeyId): void {
    for (const streamId of [...this.#entries.keys()]) this.#signal(streamId, { kind: 'key-revoked', keyId });
  }

  streamDeleted(streamId: StreamId): void {
    this.#signal(streamId, { kind: 'stream-deleted' });
  }

  /** Another ingest published the stream under `epoch`. */
  superseded(streamId: StreamId, epoch: Epoch): void {
    this.#signal(streamId, { kind: 'superseded', epoch });
  }

  /** Ends every broadcast; publishers are told and disconnected, and new ones refused. */
  drain(): void {
    this.#draining = true;
    for (const streamId of [...this.#entries.keys()]) this.#signal(streamId, { kind: 'draining' });
  }

  [Symbol.dispose](): void {
    this.#health.cancel();
    for (const entry of this.#entries.values()) entry.window?.cancel();
  }

  #signal(streamId: StreamId, signal: PublishSignal): void {
    const entry = this.#entries.get(streamId);
    if (entry === undefined) return;
    const step = transition(entry.state, signal);
    entry.state = step.state;
    // Out of the map before the effects run: one of them may lead to a new publish of the same stream.
    if (step.state.kind === 'ended') this.#entries.delete(streamId);
    for (const effect of step.effects) this.#run(streamId, entry, effect);
  }

  #run(streamId: StreamId, entry: Entry, effect: Effect): void {
    switch (effect.kind) {
      case 'start-publisher':
        return this.#publishers.get(effect.publisher)?.start(effect.broadcast);
      case 'refuse-publisher': {
        const publisher = this.#publishers.get(effect.publisher);
        this.#publishers.delete(effect.publisher);
        return publisher?.refuse(effect.refusal);
      }
      case 'disconnect-publisher': {
        const publisher = this.#publishers.get(effect.publisher);
        this.#publishers.delete(effect.publisher);
        return publisher?.disconnect(effect.reason);
      }
      case 'open-source':
        return this.#openSource(streamId, entry, effect.broadcast, effect.epoch);
      case 'interrupt-source':
        return entry.source?.interrupted();
      case 'end-source':
        entry.source?.end(effect.reason);
        entry.source = undefined;
        return;
      case 'open-window':
        entry.window = this.#deps.clock.after(this.#deps.reconnectWindowMs, () =>
          this.#signal(streamId, { kind: 'window-passed' }),
        );
        return;
      case 'close-window':
        entry.window?.cancel();
        entry.window = undefined;
        return;
      case 'record':
        return this.#deps.facts.record(effect);
      default:
        return assertNever(effect);
    }
  }

  #openSource(streamId: StreamId, entry: Entry, broadcast: Broadcast, epoch: Epoch): void {
    entry.health = new HealthMonitor(this.#deps.clock.monotonicMs());
    const source = this.#deps.sources.open(broadcast, epoch, {
      onDrain: () => {
        if (entry.source === source && entry.state.kind === 'live')
          this.#publishers.get(entry.state.publisher)?.resume();
      },
      onReassigned: (next) => {
        if (entry.source === source) this.#signal(streamId, { kind: 'reassigned', epoch: next });
      },
    });
    entry.source = source;
  }

  #sampleHealth(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [streamId, entry] of this.#entries) {
      const onAir = onAirOf(entry.state);
      if (onAir === undefined || entry.health === undefined) continue;
      this.#deps.facts.health({
        stream_id: streamId,
        epoch: onAir.epoch,
        at_ms: this.#deps.clock.nowMs(),
        ...entry.health.sample(nowMs, entry.state.kind === 'live' ? 'live' : 'interrupted'),
      });
    }
  }
}

import { type Clock, systemClock } from '@millrace/clock';
import { systemIdSource } from '@millrace/ids';
import { type Logger, silentLogger } from '@millrace/log';
import type { EventLog } from './event-log.ts';
import { MemoryStore } from './memory-store.ts';
import { noObserver } from './observer.ts';
import { StoreEventLog } from './store-event-log.ts';

export interface MemoryEventLogOptions {
  /** Times of records and of retries; the system's by default. Delivery itself needs no timer. */
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly source?: string;
  /** Share a store between several logs, as instances of a cluster share a broker; it outlives them. */
  readonly store?: MemoryStore;
}

/** An event log in memory, for unit tests: same groups, retries, dead letters and tables as the real ones. */
export function openMemoryEventLog(options: MemoryEventLogOptions = {}): EventLog {
  const clock = options.clock ?? systemClock;
  return new StoreEventLog({
    store: options.store ? outliving(options.store) : new MemoryStore(),
    clock,
    log: options.log ?? silentLogger,
    observer: noObserver,
    random: Math.random,
    ids: { nowMs: () => clock.nowMs(), random: systemIdSource.random },
    source: options.source ?? 'memory',
  });
}

function outliving(store: MemoryStore): MemoryStore {
  return new Proxy(store, {
    get(target, property) {
      if (property === Symbol.asyncDispose) return async () => {};
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

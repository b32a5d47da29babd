/**
 * Stop orders on their way to workers. Each worker holds one stream open at one instance; an order reaches it by the hint of the
 * transaction that gave it, also from another instance, and by a look at the database behind that.
 */
import type { StopOrder } from '@millrace/api';
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { Stop, TaskRows } from '../core/task-rows.ts';

/** Orders that a stream holds which nobody takes off; a task is ordered to stop once, so only a broken worker has so many. */
const mostHeld = 1_024;

class StopStream {
  readonly #held: StopOrder[] = [];
  readonly #given = new Set<string>();
  #ring: (() => void) | undefined;
  overrun = false;

  /** An order, unless this stream has given it already. */
  add(stop: Stop): void {
    const name = `${stop.taskId} ${stop.fence}`;
    if (this.#given.has(name)) return;
    if (this.#held.length >= mostHeld) this.overrun = true;
    else {
      if (this.#given.size > 10 * mostHeld) this.#given.clear(); // to give one twice is harmless
      this.#given.add(name);
      this.#held.push({ task_id: stop.taskId, fence: stop.fence, reason: 'cancelled' });
    }
    this.#ring?.();
  }

  async next(signal: AbortSignal): Promise<StopOrder | undefined> {
    while (!signal.aborted && !this.overrun) {
      const order = this.#held.shift();
      if (order !== undefined) return order;
      await new Promise<void>((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#ring = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
    return undefined;
  }
}

export interface StopDeskOptions {
  readonly tasks: Pick<TaskRows, 'stops'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pollMs: number;
}

export class StopDesk {
  readonly #options: StopDeskOptions;
  readonly #streams = new Map<string, Set<StopStream>>();

  constructor(options: StopDeskOptions) {
    this.#options = options;
  }

  /** Gives orders to those workers that have a stream here. */
  give(stops: readonly Stop[]): void {
    for (const stop of stops) for (const stream of this.#streams.get(stop.workerId) ?? []) stream.add(stop);
  }

  async *follow(workerId: string, signal: AbortSignal): AsyncIterable<StopOrder> {
    const stream = new StopStream();
    const own = this.#streams.get(workerId) ?? new Set();
    this.#streams.set(workerId, own.add(stream));
    try {
      for (const stop of await this.#options.tasks.stops([workerId])) stream.add(stop);
      for (;;) {
        const order = await stream.next(signal);
        if (order === undefined) return;
        yield order;
      }
    } finally {
      own.delete(stream);
      if (own.size === 0) this.#streams.delete(workerId);
    }
  }

  /** Looks for orders whose hint was lost. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.clock, this.#options.pollMs, signal);
      if (this.#streams.size === 0) continue;
      try {
        this.give(await this.#options.tasks.stops([...this.#streams.keys()]));
      } catch (error) {
        this.#options.log.debug('stop-look-failed', { error }); // the next one makes it good
      }
    }
  }
}

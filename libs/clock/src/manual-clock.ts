import type { Clock } from './clock.ts';

interface Entry {
  readonly id: number;
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

/** A clock that stands still until `advance` moves it; timers fire in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  #wallOffset: number;
  #entries: Entry[] = [];
  #ids = 0;

  constructor(wallMs = 1_700_000_000_000) {
    this.#now = 0;
    this.#wallOffset = wallMs;
  }

  nowMs(): number {
    return this.#now + this.#wallOffset;
  }

  monotonicMs(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void) {
    return this.#add(delayMs, undefined, callback);
  }

  every(periodMs: number, callback: () => void) {
    return this.#add(periodMs, periodMs, callback);
  }

  /** Timers that have not fired or been cancelled. */
  get pending(): number {
    return this.#entries.length;
  }

  /** Moves the wall clock alone, as NTP does. */
  jumpWall(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** Moves time by `ms`, firing what falls due, and lets promise callbacks run between timers. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    for (;;) {
      await flushMicrotasks();
      const due = this.#entries.filter((e) => e.dueMs <= target).sort((a, b) => a.dueMs - b.dueMs || a.id - b.id)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.dueMs);
      if (due.periodMs === undefined) this.#remove(due);
      else due.dueMs += due.periodMs;
      due.callback();
    }
    this.#now = target;
    await flushMicrotasks();
  }

  #add(delayMs: number, periodMs: number | undefined, callback: () => void) {
    const entry: Entry = { id: this.#ids++, dueMs: this.#now + Math.max(0, delayMs), periodMs, callback };
    this.#entries.push(entry);
    return { cancel: () => this.#remove(entry) };
  }

  #remove(entry: Entry): void {
    this.#entries = this.#entries.filter((e) => e !== entry);
  }
}

async function flushMicrotasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/**
 * Keys whose first record failed, with the records that have to wait behind it so that order per key holds. A core
 * without clock: the reader passes the time in.
 */
import { backoffMs } from '@millrace/lifecycle';
import type { LogRecord } from './event-log.ts';

export interface RetryPolicy {
  /** Retries of one record before it is given up. */
  readonly maxRetries: number;
  /** First backoff, ms; doubles with jitter up to `capMs`. */
  readonly baseMs: number;
  readonly capMs: number;
}

interface BlockedKey {
  readonly waiting: LogRecord[];
  /** Handler calls of the first record that failed. */
  attempts: number;
  dueMs: number;
  error: unknown;
}

export interface DueRecord {
  readonly record: LogRecord;
  readonly attempts: number;
  readonly error: unknown;
  /** No retry is left: park it. */
  readonly exhausted: boolean;
}

export class BlockedKeys {
  readonly #policy: RetryPolicy;
  readonly #random: () => number;
  readonly #keys = new Map<string, BlockedKey>();
  #records = 0;

  constructor(policy: RetryPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Records that are blocked or wait behind one. */
  get size(): number {
    return this.#records;
  }

  /** Offset before which everything is handled, of what is here; undefined when nothing is. */
  get firstOffset(): bigint | undefined {
    let first: bigint | undefined;
    for (const { waiting } of this.#keys.values()) {
      const offset = waiting[0]?.offset;
      if (offset !== undefined && (first === undefined || offset < first)) first = offset;
    }
    return first;
  }

  /** When the next retry is due, by the clock of `nowMs`; undefined when nothing is blocked. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#keys.values()) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  /** Queues the record behind its key when that is blocked; false when it is not. */
  waitBehind(record: LogRecord): boolean {
    const blocked = this.#keys.get(record.key);
    if (blocked === undefined) return false;
    blocked.waiting.push(record);
    this.#records++;
    return true;
  }

  /** The handler refused `record`, the first of its key. */
  fail(record: LogRecord, error: unknown, nowMs: number): void {
    const blocked = this.#keys.get(record.key);
    if (blocked === undefined) {
      this.#keys.set(record.key, { waiting: [record], attempts: 1, dueMs: nowMs + this.#delayMs(1), error });
      this.#records++;
      return;
    }
    blocked.attempts++;
    blocked.dueMs = nowMs + this.#delayMs(blocked.attempts);
    blocked.error = error;
  }

  /** Puts a retry off without counting it, because parking failed: the log is away. */
  postpone(key: string, nowMs: number): void {
    const blocked = this.#keys.get(key);
    if (blocked !== undefined)
      blocked.dueMs = nowMs + backoffMs(0, this.#policy.baseMs, this.#policy.capMs, this.#random());
  }

  /** The first record of `key` is handled or parked; the one behind it is due at once. */
  advance(key: string, nowMs: number): void {
    const blocked = this.#keys.get(key);
    if (blocked === undefined) return;
    blocked.waiting.shift();
    this.#records--;
    blocked.attempts = 0;
    blocked.dueMs = nowMs;
    blocked.error = undefined;
    if (blocked.waiting.length === 0) this.#keys.delete(key);
  }

  /** A record that is due, earliest first. */
  due(nowMs: number): DueRecord | undefined {
    let found: BlockedKey | undefined;
    for (const blocked of this.#keys.values()) {
      if (blocked.dueMs <= nowMs && (found === undefined || blocked.dueMs < found.dueMs)) found = blocked;
    }
    const record = found?.waiting[0];
    if (found === undefined || record === undefined) return undefined;
    return {
      ...{ record, attempts: found.attempts, error: found.error },
      exhausted: found.attempts > this.#policy.maxRetries,
    };
  }

  #delayMs(attempts: number): number {
    if (attempts > this.#policy.maxRetries) return 0;
    return backoffMs(attempts - 1, this.#policy.baseMs, this.#policy.capMs, this.#random());
  }
}

/**
 * One partition on its way into ClickHouse: records wait here until they make a range, and each range is declared, inserted and
 * closed before the next (see core/insert-range.ts). While ClickHouse or the log is away it tries on with the same range.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Batch, LogRecord } from '@millrace/eventlog';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { FactInsert } from '../core/fact-insert.ts';
import type { FactRow } from '../core/fact-rows.ts';
import {
  declaredRange,
  insertToken,
  type OffsetRange,
  planRange,
  type RangeLimits,
  rangeMetadata,
} from '../core/insert-range.ts';
import type { SinkBudget } from '../core/sink-budget.ts';

export interface PartitionSinkDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: RangeLimits;
  readonly budget: SinkBudget;
  readonly rowsOf: (record: LogRecord) => readonly FactRow[];
  readonly insert: FactInsert;
  /** Runs `work` when it is its turn among the partitions. */
  readonly inTurn: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | undefined>;
  /** Puts a record that cannot be inserted where an operator finds it; rejects while the log is away. */
  readonly park: (record: LogRecord, error: unknown) => Promise<void>;
  readonly observer: PartitionSinkObserver;
}

export interface PartitionSinkObserver {
  inserted(table: string, rows: number, seconds: number): void;
  /** An attempt failed and is repeated. */
  away(partition: string, table: string, reason: string, error: unknown): void;
  /** The partition's inserts work again. */
  back(partition: string): void;
  parked(topic: string): void;
  crashed(partition: string, error: unknown): void;
  /** Time from a record's fact to its row being queryable, ms; of a range's last record. */
  queryable(delayMs: number): void;
}

interface Waiting {
  readonly record: LogRecord;
  readonly sinceMs: number;
}

const retryBaseMs = 250;
const retryCapMs = 10_000;

export class PartitionSink implements AsyncDisposable {
  readonly #deps: PartitionSinkDeps;
  readonly #name: string;
  readonly #run: Background;
  #batch: Batch;
  #declared: OffsetRange | undefined;
  #waiting: Waiting[] = [];
  #end = 0n;
  #wake: () => void = () => {};

  /** `batch`: the first of this assignment; its metadata tells what was left open. */
  constructor(deps: PartitionSinkDeps, batch: Batch) {
    this.#deps = deps;
    this.#batch = batch;
    this.#name = `${batch.topic}/${batch.partition}`;
    this.#declared = declaredRange(batch.metadata);
    this.#run = new Background(
      (signal) => this.#loop(AbortSignal.any([signal, batch.signal])),
      (error) => deps.observer.crashed(this.#name, error),
    );
    batch.signal.addEventListener('abort', () => this.#drop(), { once: true });
  }

  get signal(): AbortSignal {
    return this.#batch.signal;
  }

  /** Takes records over; resolves when there is room for more. */
  async take(batch: Batch): Promise<void> {
    if (batch.signal.aborted) return;
    this.#batch = batch;
    this.#end = batch.highWatermark;
    const sinceMs = this.#deps.clock.monotonicMs();
    for (const record of batch.records) this.#waiting.push({ record, sinceMs });
    this.#deps.budget.take(batch.records.length);
    this.#wake();
    // What is left of a declared range must come, whatever the others hold; it is not longer than `maxRecords`.
    const last = batch.records.at(-1)?.offset ?? 0n;
    if (this.#declared === undefined || last >= this.#declared.last) await this.#deps.budget.room(batch.signal);
  }

  /** Stops between two attempts; what is open stays declared, and what waits is read again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run[Symbol.asyncDispose]();
    this.#drop();
  }

  #drop(): void {
    this.#deps.budget.give(this.#waiting.length);
    this.#waiting = [];
    this.#wake();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const oldestMs = this.#deps.clock.monotonicMs() - (this.#waiting[0]?.sinceMs ?? 0);
      const offsets = this.#waiting.map(({ record }) => record.offset);
      const plan = planRange({ offsets, oldestMs, end: this.#end }, this.#declared, this.#deps.limits);
      if (plan.kind === 'wait') {
        await this.#waitFor(plan.ms, signal);
        continue;
      }
      const { range, records } = plan;
      const unit = this.#waiting.slice(0, records).map(({ record }) => record);
      // A declared range is in the log already; declaring the next one closes the one before.
      if (this.#declared === undefined) await this.#commit(range.first, rangeMetadata(range), signal);
      this.#declared = range;
      await this.#insert(unit, range, signal);
      if (signal.aborted) return;
      this.#declared = undefined;
      this.#waiting.splice(0, records);
      this.#deps.budget.give(records);
      if (this.#waiting.length === 0) await this.#commit(range.last + 1n, '', signal);
    }
  }

  #waitFor(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Number.POSITIVE_INFINITY ? undefined : this.#deps.clock.after(ms, () => done());
      const done = () => {
        timer?.cancel();
        signal.removeEventListener('abort', done);
        this.#wake = () => {};
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** Until it is in the log, or the partition is lost. */
  async #commit(offset: bigint, metadata: string, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await this.#batch.commit(offset, metadata);
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.observer.away(this.#name, 'log', 'commit', error);
        await this.#pause(failures, signal);
      }
    }
  }

  async #insert(unit: readonly LogRecord[], range: OffsetRange, signal: AbortSignal): Promise<void> {
    const tables = new Map<string, { lines: string[]; records: LogRecord[] }>();
    for (const record of unit) {
      for (const { table, row } of this.#deps.rowsOf(record)) {
        const rows = tables.get(table) ?? { lines: [], records: [] };
        tables.set(table, rows);
        rows.lines.push(JSON.stringify(row));
        rows.records.push(record);
      }
    }
    for (const [table, rows] of tables) await this.#insertTable(table, rows, range, signal);
    const last = unit.at(-1);
    if (last !== undefined && !signal.aborted) this.#deps.observer.queryable(this.#deps.clock.nowMs() - last.timeMs);
  }

  async #insertTable(
    table: string,
    rows: { lines: string[]; records: LogRecord[] },
    range: OffsetRange,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, insert, observer } = this.#deps;
    const { topic, partition } = this.#batch;
    const token = insertToken(topic, partition, range, table);
    let failures = 0;
    while (!signal.aborted && rows.lines.length > 0) {
      let startedMs = 0;
      const outcome = await this.#deps.inTurn(() => {
        startedMs = clock.monotonicMs();
        return insert(table, rows.lines, token, signal);
      }, signal);
      if (outcome === undefined || signal.aborted) return;
      if (outcome.kind === 'inserted') {
        observer.inserted(table, rows.lines.length, (clock.monotonicMs() - startedMs) / 1_000);
        if (failures > 0) observer.back(this.#name);
        return;
      }
      if (outcome.kind === 'away') {
        observer.away(this.#name, table, outcome.reason, outcome.error);
        await this.#pause(failures++, signal);
        continue;
      }
      const bad = rows.records[outcome.row];
      if (bad !== undefined) await this.#park(bad, outcome.error, signal);
      // Parsing comes before the token is looked at, so a repetition finds the same row bad and leaves it out again.
      rows.lines.splice(outcome.row, 1);
      rows.records.splice(outcome.row, 1);
    }
  }

  async #park(record: LogRecord, error: unknown, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#deps.park(record, error);
        this.#deps.observer.parked(record.topic);
        return;
      } catch (parkError) {
        this.#deps.observer.away(this.#name, 'log', 'park', parkError);
        await this.#pause(failures, signal);
      }
    }
  }

  #pause(failures: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#deps.clock, backoffMs(failures, retryBaseMs, retryCapMs, this.#deps.random()), signal);
  }
}

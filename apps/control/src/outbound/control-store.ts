import type { NewRecord } from '@millrace/eventlog';
import { createAnswerRows, type Sql, type TransactionSql } from '@millrace/postgres';
import type { ControlStore, Rows } from '../core/store.ts';
import { createKeyRows } from './key-rows.ts';
import { createLiveRows } from './live-rows.ts';
import type { Queryable } from './row-mapping.ts';
import { createSignInRows } from './sign-in-rows.ts';
import { createStreamRows } from './stream-rows.ts';
import { createTokenRows } from './token-rows.ts';

/** The part of the event log that joins a transaction: its outbox. */
export interface Outbox {
  publishIn(tx: TransactionSql, records: readonly NewRecord[]): Promise<void>;
  /** Such a transaction has committed. */
  committed(): void;
}

/** Control's store on PostgreSQL; `sql` stays its opener's. */
export function createControlStore(sql: Sql, outbox: Outbox): ControlStore {
  return {
    ...createRows(sql),
    async transaction(work) {
      // begin() unwraps arrays of queries in its result type; the result is boxed so that it stays what it is
      const boxed = await sql.begin(async (tx) => ({
        value: await work({ ...createRows(tx), publish: (records) => outbox.publishIn(tx, records) }),
      }));
      outbox.committed();
      return boxed.value;
    },
  };
}

function createRows(sql: Queryable): Rows {
  return {
    streams: createStreamRows(sql),
    keys: createKeyRows(sql),
    tokens: createTokenRows(sql),
    signIns: createSignInRows(sql),
    live: createLiveRows(sql),
    answers: createAnswerRows(sql, 'control'),
  };
}

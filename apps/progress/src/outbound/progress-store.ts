import type { NewRecord } from '@millrace/eventlog';
import {
  createAnswerRows,
  NeedsOwnTransaction,
  SharedTransactions,
  type Sql,
  type TransactionSql,
} from '@millrace/postgres';
import type { ProgressStore, Rows, Transaction } from '../core/store.ts';
import { createCleanupRows } from './cleanup-rows.ts';
import { createCompositionRows } from './composition-rows.ts';
import { createImageRows } from './image-rows.ts';
import { createImportRows, createPictureImportRows } from './import-rows.ts';
import { createJobRows } from './job-rows.ts';
import type { Queryable } from './row-mapping.ts';
import { createTaskRows } from './task-rows.ts';
import { createUploadRows } from './upload-rows.ts';
import { createVideoRows } from './video-rows.ts';
import { createWebhookRows } from './webhook-rows.ts';

/** The part of the event log that joins a transaction: its outbox. */
export interface Outbox {
  publishIn(tx: TransactionSql, records: readonly NewRecord[]): Promise<void>;
  /** Such a transaction has committed. */
  committed(): void;
}

/**
 * Works that share a transaction, and transactions at a time. Their product is as many submits of an owner as may not see each other,
 * the margin of its quota.
 */
const sharing = { most: 32, lanes: 2 };

/** Progress's store on PostgreSQL; `sql` stays its opener's. */
export function createProgressStore(sql: Sql, outbox: Outbox): ProgressStore {
  const transaction = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const hints: (() => void)[] = [];
    // one insert for all that a transaction publishes, in its order, while every lock is still held
    const published: NewRecord[] = [];
    // begin() unwraps arrays of queries in its result type; the result is boxed so that it stays what it is
    const boxed = await sql.begin(async (tx) => {
      const value = await work({
        ...createRows(tx),
        publish(records) {
          published.push(...records);
          return Promise.resolve();
        },
        isShared: false,
        needsOwn: () => {},
        afterCommit: (hint) => void hints.push(hint),
      });
      await outbox.publishIn(tx, published);
      return { value };
    });
    if (published.length > 0) outbox.committed();
    for (const hint of hints) hint();
    return boxed.value;
  };
  const shares = new SharedTransactions<Transaction>({ begin: transaction, ...sharing });
  return {
    ...createRows(sql),
    transaction,
    shared: (key, work) =>
      shares.run(key, (tx, shared) => work(shared ? { ...tx, isShared: true, needsOwn: refuseSharing } : tx)),
  };
}

function refuseSharing(): never {
  throw new NeedsOwnTransaction();
}

function createRows(sql: Queryable): Rows {
  return {
    jobs: createJobRows(sql),
    tasks: createTaskRows(sql),
    cleanups: createCleanupRows(sql),
    videos: createVideoRows(sql),
    uploads: createUploadRows(sql),
    imports: createImportRows(sql),
    pictureImports: createPictureImportRows(sql),
    compositions: createCompositionRows(sql),
    images: createImageRows(sql),
    webhooks: createWebhookRows(sql),
    answers: createAnswerRows(sql, 'progress'),
  };
}

/**
 * Transactions that survive the loss of their connection. postgres.js 3.4.9 answers every failure inside `begin` with a
 * ROLLBACK, on a lost connection, too; that write throws where nobody can catch it and ends the process. So a callback
 * whose connection was lost is never settled here: `begin` itself has rejected by then, with CONNECTION_CLOSED.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';

type Begin = (...args: unknown[]) => Promise<unknown>;
type Callback = (tx: object) => unknown;
type Loss = { error?: Error };

/** How long a callback's CONNECTION_CLOSED may be ahead of `begin`'s own, ms; after that it came from another connection. */
const lossDelayMs = 1_000;

/** Replaces `sql.begin` by one that does not write to a lost connection; returns `sql`. */
export function withSafeBegin<S extends postgres.Sql<{ bigint: bigint }>>(sql: S): S {
  const begin = sql.begin.bind(sql) as unknown as Begin;
  const safe: Begin = (...args) => {
    const callback = args.pop() as Callback;
    const loss: Loss = {};
    const guarded = async (tx: object) => {
      try {
        const given = await callback(guardQueries(tx, loss));
        const result = Array.isArray(given) ? await Promise.all(given as unknown[]) : given;
        if (loss.error === undefined) return result;
      } catch (error) {
        if (loss.error === undefined && isLoss(error)) await delay(lossDelayMs, undefined, { ref: false });
        if (loss.error === undefined) throw error;
      }
      return new Promise(() => {}); // the transaction has ended with its connection, and its caller knows
    };
    const run = begin(...args, guarded);
    run.catch((error: unknown) => {
      if (isLoss(error)) loss.error = error;
    });
    return run;
  };
  return Object.assign(sql, { begin: safe });
}

/** The transaction's queries; once the connection is lost each of them throws instead of being sent. */
function guardQueries(tx: object, loss: Loss): object {
  return new Proxy(tx, {
    apply(target, self, args) {
      if (loss.error !== undefined) throw loss.error;
      return Reflect.apply(target as () => unknown, self, args) as unknown;
    },
    get(target, property, receiver) {
      if (loss.error !== undefined) throw loss.error;
      return Reflect.get(target, property, receiver) as unknown;
    },
  });
}

function isLoss(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'CONNECTION_CLOSED' || error.code === 'CONNECTION_DESTROYED';
}

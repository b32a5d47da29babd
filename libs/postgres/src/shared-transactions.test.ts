import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NeedsOwnTransaction, SharedTransactions } from './shared-transactions.ts';
import type { TransactionSql } from './sql.ts';
import { createTestDatabase, type TestDatabase } from './testing.ts';

type Manner = 'writes' | 'refuses' | 'needs-own' | 'conflicts-when-shared' | 'conflicts';
const mannerOf = fc.constantFrom<Manner[]>('writes', 'refuses', 'needs-own', 'conflicts-when-shared', 'conflicts');
class Refusal extends Error {}
const conflict = () => Object.assign(new Error('deadlock detected'), { code: '40P01' });

/** A database in memory: what a transaction writes is there once it commits. */
class World {
  readonly committed: number[] = [];
  readonly most = { open: 0, works: 0 };
  #open = 0;
  readonly begin = async <T>(work: (tx: number[]) => Promise<T>): Promise<T> => {
    const written: number[] = [];
    this.most.open = Math.max(this.most.open, ++this.#open);
    try {
      const value = await work(written);
      this.committed.push(...written);
      return value;
    } finally {
      this.#open--;
    }
  };
}

describe('works that share transactions', () => {
  it('each happen once or not at all, whatever those beside them do, and never beside one of their key', async () => {
    const works = fc.array(fc.record({ manner: mannerOf, key: fc.integer({ min: 0, max: 9 }), turns: fc.nat(3) }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        works,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 8 }),
        async (given, lanes, most) => {
          const world = new World();
          const shares = new SharedTransactions<number[]>({ begin: world.begin, lanes, most });
          const running = new Map<number, number>();
          const inside = new Map<number[], number>();
          const outcomes = await Promise.allSettled(
            given.map(({ manner, key, turns }, id) =>
              shares.run(key === 0 ? undefined : `key ${key}`, async (tx, shared) => {
                if (key !== 0 && running.has(key)) expect(running.get(key)).toBe(id); // only its own earlier round
                running.set(key, id);
                inside.set(tx, (inside.get(tx) ?? 0) + 1);
                world.most.works = Math.max(world.most.works, inside.get(tx) ?? 0);
                try {
                  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
                  tx.push(id);
                  if (manner === 'refuses') throw new Refusal();
                  if (manner === 'needs-own' && shared) throw new NeedsOwnTransaction();
                  if (manner === 'conflicts' || (manner === 'conflicts-when-shared' && shared)) throw conflict();
                  return id;
                } finally {
                  running.delete(key);
                }
              }),
            ),
          );
          const stands = given.map(({ manner }) => manner !== 'refuses' && manner !== 'conflicts');
          expect([...world.committed].sort((a, b) => a - b)).toEqual(
            given.flatMap((_, id) => (stands[id] ? [id] : [])),
          );
          for (const [id, outcome] of outcomes.entries()) {
            if (stands[id]) expect(outcome).toEqual({ status: 'fulfilled', value: id });
            else expect(outcome.status).toBe('rejected');
          }
          expect(world.most.open).toBeLessThanOrEqual(lanes);
          expect(world.most.works).toBeLessThanOrEqual(most);
          expect(shares.waiting).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are not done again when the transaction itself failed: it may have committed', async () => {
    let tries = 0;
    const begin = async <T>(work: (tx: object) => Promise<T>): Promise<T> => {
      tries++;
      await work({});
      throw Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' });
    };
    const shares = new SharedTransactions<object>({ begin, lanes: 1, most: 8 });
    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => shares.run(undefined, async () => n)));
    expect(outcomes.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(tries).toBe(1);
  });
});

describe('on PostgreSQL', () => {
  let db: TestDatabase;
  let shares: SharedTransactions<TransactionSql>;
  beforeAll(async () => {
    db = await createTestDatabase();
    await db.sql`CREATE TABLE notes (n int PRIMARY KEY, transaction xid8 NOT NULL DEFAULT pg_current_xact_id())`;
    const begin = async <T>(work: (tx: TransactionSql) => Promise<T>) =>
      (await db.sql.begin(async (tx) => ({ value: await work(tx) }))).value;
    shares = new SharedTransactions<TransactionSql>({ begin, lanes: 1, most: 32 });
  });
  afterAll(() => db[Symbol.asyncDispose]());
  const write = (n: number) => shares.run(undefined, (tx) => tx`INSERT INTO notes (n) VALUES (${n})`);
  const notes = () => db.sql<{ n: number; transaction: string }[]>`SELECT n, transaction::text FROM notes ORDER BY n`;

  it('what comes at once is one commit', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => write(n)));
    const rows = await notes();
    expect(rows).toHaveLength(30);
    expect(new Set(rows.map((row) => row.transaction)).size).toBe(1);
  });

  it('one whose statement fails does not take the others with it', async () => {
    const outcomes = await Promise.allSettled([write(100), write(7), write(101)]);
    expect(outcomes.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await notes()).filter(({ n }) => n >= 100)).toHaveLength(2);
  });

  it('all are told when the connection is lost, none of them has happened, and the next ones do', async () => {
    const lose = async (tx: TransactionSql) => {
      await tx`INSERT INTO notes (n) VALUES (200)`;
      const [own] = await tx`SELECT pg_backend_pid() AS pid`;
      await db.sql`SELECT pg_terminate_backend(${Number(own?.['pid'])})`;
      return tx`SELECT 1`;
    };
    const outcomes = await Promise.allSettled([write(201), shares.run(undefined, lose), write(202)]);
    expect(outcomes.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
    await write(300);
    expect((await notes()).filter(({ n }) => n >= 200).map(({ n }) => n)).toEqual([300]);
  });
});

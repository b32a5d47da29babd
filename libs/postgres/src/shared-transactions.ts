/**
 * Group commit of independent works: while transactions are on their way, what comes meanwhile gathers, and shares the next one. The
 * statements of works that share are sent together, and one commit makes all of them durable. What a work sees of the others in its
 * transaction is as if they had committed before it. A work that rejects has not happened: the others are done again without it.
 */
import { assertNever } from '@millrace/result';

export interface SharedTransactionsOptions<Tx> {
  /** Runs `work` in one transaction and commits it; when `work` rejects, rolls back and then rejects with the same. */
  readonly begin: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /** Transactions on their way at a time. */
  readonly lanes: number;
  /** Most works of one transaction. */
  readonly most: number;
}

/** Thrown by a work that found that it must not share its transaction: it is done again in one of its own. */
export class NeedsOwnTransaction extends Error {
  constructor() {
    super('expected a transaction of its own, got a shared one');
  }
}

/** `shared`: others may be in the transaction. It is so at the first try of every work, also of one that happens to be alone. */
export type Work<Tx, T> = (tx: Tx, shared: boolean) => Promise<T>;

interface Pending<Tx> {
  readonly key: string | undefined;
  readonly work: Work<Tx, unknown>;
  readonly settle: (outcome: PromiseSettledResult<unknown>) => void;
}

/** Rolls a shared transaction back, with what became of each work in it. */
class Undone extends Error {
  readonly outcomes: readonly PromiseSettledResult<unknown>[];

  constructor(outcomes: readonly PromiseSettledResult<unknown>[]) {
    super('works of a shared transaction rejected');
    this.outcomes = outcomes;
  }
}

/** Rounds of a group, each without the works that rejected in the one before; then each of the rest is on its own. */
const mostRounds = 3;

export class SharedTransactions<Tx> {
  readonly #options: SharedTransactionsOptions<Tx>;
  readonly #pending: Pending<Tx>[] = [];
  /** Keys of works on their way. */
  readonly #busy = new Set<string>();
  #running = 0;
  #scheduled = false;

  constructor(options: SharedTransactionsOptions<Tx>) {
    this.#options = options;
  }

  /** Works that wait for a transaction. */
  get waiting(): number {
    return this.#pending.length;
  }

  /**
   * Runs `work` and gives its value once that is committed. Works of the same key (what they change) are never on their way together;
   * undefined: it is in nobody's way. A work may be run several times, of which only the last counts, so it changes nothing beside its transaction. It must not rely
   * on a lock to keep the others of its transaction out, nor wait for one that they might hold in another order.
   */
  run<T>(key: string | undefined, work: Work<Tx, T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: PromiseSettledResult<unknown>) => {
        if (outcome.status === 'fulfilled') resolve(outcome.value as T);
        else reject(outcome.reason as Error);
      };
      this.#pending.push({ key, work, settle });
      this.#schedule();
    });
  }

  /** What comes in one turn of the event loop goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.lanes) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    while (this.#running < this.#options.lanes) {
      const group = this.#take();
      if (group.length === 0) return;
      this.#running++;
      void this.#runGroup(group).finally(() => {
        this.#running--;
        for (const { key } of group) if (key !== undefined) this.#busy.delete(key);
        this.#start();
      }); // never rejects: each work is told of its own failure
    }
  }

  /** The oldest whose keys are free, each key once. */
  #take(): readonly Pending<Tx>[] {
    const group: Pending<Tx>[] = [];
    for (let at = 0; at < this.#pending.length && group.length < this.#options.most; ) {
      const next = this.#pending[at];
      if (next === undefined || (next.key !== undefined && this.#busy.has(next.key))) {
        at++;
        continue;
      }
      if (next.key !== undefined) this.#busy.add(next.key);
      group.push(next);
      this.#pending.splice(at, 1);
    }
    return group;
  }

  async #runGroup(group: readonly Pending<Tx>[]): Promise<void> {
    let left = group;
    const alone: Pending<Tx>[] = [];
    for (let round = 0; left.length > 0 && round < mostRounds; round++) {
      const outcomes = await this.#together(left);
      const kinds = outcomes.map(kindOf);
      // one failed statement fails all that come after it: who caused it can only be told apart alone
      const broken = kinds.includes('failed');
      const again: Pending<Tx>[] = [];
      for (const [at, one] of left.entries()) {
        const outcome = outcomes[at];
        const kind = kinds[at];
        if (outcome === undefined || kind === undefined) throw new Error('expected an outcome of every work');
        switch (kind) {
          case 'committed':
          case 'refused':
            one.settle(outcome.result);
            break;
          case 'undone':
            (broken ? alone : again).push(one);
            break;
          case 'needs-own':
          case 'failed':
            alone.push(one);
            break;
          default:
            assertNever(kind);
        }
      }
      left = again;
    }
    for (const one of [...left, ...alone]) {
      const [result] = await Promise.allSettled([this.#options.begin((tx) => one.work(tx, false))]);
      one.settle(result);
    }
  }

  /** One round. When the transaction itself fails, its end may be unknown: then nothing is tried again. */
  async #together(group: readonly Pending<Tx>[]): Promise<readonly Outcome[]> {
    try {
      const values = await this.#options.begin(async (tx) => {
        const outcomes = await Promise.allSettled(group.map(async (one) => one.work(tx, true)));
        if (outcomes.some((one) => one.status === 'rejected')) throw new Undone(outcomes);
        return outcomes;
      });
      return values.map((result) => ({ committed: true, result }));
    } catch (error) {
      if (error instanceof Undone) return error.outcomes.map((result) => ({ committed: false, result }));
      return group.map(() => ({ committed: true, result: { status: 'rejected', reason: error } }));
    }
  }
}

interface Outcome {
  /** Whether it stands: a transaction that was rolled back leaves nothing but refusals. */
  readonly committed: boolean;
  readonly result: PromiseSettledResult<unknown>;
}

function kindOf({ committed, result }: Outcome): 'committed' | 'undone' | 'refused' | 'needs-own' | 'failed' {
  if (committed) return 'committed';
  if (result.status === 'fulfilled') return 'undone';
  if (result.reason instanceof NeedsOwnTransaction) return 'needs-own';
  return isOfDatabase(result.reason) ? 'failed' : 'refused';
}

/** A failed statement, told by its SQLSTATE or the code of a connection; anything else was thrown by the work itself. */
function isOfDatabase(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && typeof reason.code === 'string';
}

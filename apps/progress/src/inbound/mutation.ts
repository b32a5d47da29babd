/** How progress carries out a mutating call: see `mutate` of @millrace/http. */
import { record } from '@millrace/eventlog';
import { type AuditFact, auditTopic } from '@millrace/events';
import { type Mutated, type MutationOptions, mutate as mutateWith } from '@millrace/http';
import type { Context } from 'hono';
import type { Transaction } from '../core/store.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';

type Deps = Pick<RouteDeps, 'store' | 'clock' | 'metrics'>;

/** Carries out `work` in one transaction and gives its answer, or the first answer of the same Idempotency-Key. */
export function mutate<T>(
  c: Context<ProgressEnv>,
  deps: Deps,
  options: MutationOptions<T>,
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  return mutateIn(c, deps, (run) => deps.store.transaction(run), options, work);
}

/**
 * The same in a transaction that calls at the same time share; see `ProgressStore.shared` for what `work` must keep to. `subject`: the row
 * that it changes; undefined: it only makes new ones.
 */
export function mutateShared<T>(
  c: Context<ProgressEnv>,
  deps: Deps,
  options: MutationOptions<T> & { readonly subject: string | undefined },
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const key = c.req.header('idempotency-key');
  // two calls with one key wait for each other's answers
  const claim = key === undefined ? undefined : `answer ${c.get('actor').ownerId} ${c.req.path} ${key}`;
  return mutateIn(c, deps, (run) => deps.store.shared(options.subject ?? claim, run), options, work);
}

function mutateIn<T>(
  c: Context<ProgressEnv>,
  { clock, metrics }: Deps,
  transaction: <R>(run: (tx: Transaction) => Promise<R>) => Promise<R>,
  options: MutationOptions<T>,
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const deps = {
    transaction,
    answersOf: (tx: Transaction) => tx.answers,
    audit: (tx: Transaction, fact: AuditFact) => tx.publish([record(auditTopic, fact)]),
    clock,
    onMutated: (action: string) => metrics.mutations.inc({ action }),
    onIdempotentCall: (outcome: string) => metrics.idempotentCalls.inc({ outcome }),
  };
  return mutateWith(c, deps, options, work);
}

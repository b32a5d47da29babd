/** How progress carries out a mutating call: see `mutate` of @millrace/http. */
import { record } from '@millrace/eventlog';
import { type AuditFact, auditTopic } from '@millrace/events';
import { type Mutated, type MutationOptions, mutate as mutateWith } from '@millrace/http';
import type { Context } from 'hono';
import type { Transaction } from '../core/store.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';

/** Carries out `work` in one transaction and gives its answer, or the first answer of the same Idempotency-Key. */
export function mutate<T>(
  c: Context<ProgressEnv>,
  { store, clock, metrics }: Pick<RouteDeps, 'store' | 'clock' | 'metrics'>,
  options: MutationOptions<T>,
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const deps = {
    transaction: <R>(run: (tx: Transaction) => Promise<R>) => store.transaction(run),
    answersOf: (tx: Transaction) => tx.answers,
    audit: (tx: Transaction, fact: AuditFact) => tx.publish([record(auditTopic, fact)]),
    clock,
    onMutated: (action: string) => metrics.mutations.inc({ action }),
    onIdempotentCall: (outcome: string) => metrics.idempotentCalls.inc({ outcome }),
  };
  return mutateWith(c, deps, options, work);
}

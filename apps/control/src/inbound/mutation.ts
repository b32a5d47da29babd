/**
 * Every mutating call goes through here: one transaction holds the change, the states it publishes, its audit fact, and the
 * answer to an Idempotency-Key. So a crash leaves all of it or nothing, and no route can forget its audit fact.
 */
import { hashSecret } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import { auditTopic } from '@millrace/events';
import { ProblemError, problem } from '@millrace/http';
import { assertNever } from '@millrace/result';
import type { Context } from 'hono';
import type { Transaction } from '../core/store.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';

/** What a call changed, for its audit fact, and what it answers. */
export interface Mutated<T> {
  readonly resource: string;
  /** Owner of the resource, who may be another than the actor. */
  readonly ownerId: string;
  readonly answer: T;
}

export interface MutationOptions<T> {
  /** Operation id of the route. */
  readonly action: string;
  /** Who acts: the actor of a login, or the owner that a sign-in code belongs to. */
  readonly actor?: (mutated: Mutated<T>) => string;
  /** Status kept with the answer of an Idempotency-Key. */
  readonly status?: number;
  /** The validated body; with it an Idempotency-Key is honoured. */
  readonly body?: unknown;
}

const answerLifetimeMs = 24 * 3_600_000;

/** Carries out `work` in one transaction and gives its answer, or the first answer of the same Idempotency-Key. */
export async function mutate<T>(
  c: Context<ControlEnv>,
  deps: Pick<RouteDeps, 'store' | 'clock' | 'metrics'>,
  options: MutationOptions<T>,
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const nowMs = deps.clock.nowMs();
  const key = options.body === undefined ? undefined : c.req.header('idempotency-key');
  const answer = await deps.store.transaction(async (tx) => {
    if (key === undefined) return perform(c, tx, options, nowMs, work);
    const at = { ownerId: c.get('actor').ownerId, route: `${c.req.method} ${c.req.path}`, key };
    const claim = await tx.answers.claim(at, hashSecret(JSON.stringify(options.body)), nowMs, nowMs + answerLifetimeMs);
    switch (claim.kind) {
      case 'claimed': {
        const first = await perform(c, tx, options, nowMs, work);
        await tx.answers.keep(at, { status: options.status ?? 200, body: first });
        deps.metrics.idempotentCalls.inc({ outcome: 'first' });
        return first;
      }
      case 'kept':
        deps.metrics.idempotentCalls.inc({ outcome: 'replayed' });
        c.header('idempotent-replayed', 'true');
        return claim.answer.body as T; // what `work` of this route answered first
      case 'other-body':
        deps.metrics.idempotentCalls.inc({ outcome: 'other-body' });
        throw new ProblemError(
          problem(422, 'idempotency-key-reused', 'Idempotency-Key used with another body', {
            detail: 'expected the body of the first call with this key, or a new key',
          }),
        );
      default:
        return assertNever(claim);
    }
  });
  deps.metrics.mutations.inc({ action: options.action });
  return answer;
}

async function perform<T>(
  c: Context<ControlEnv>,
  tx: Transaction,
  options: MutationOptions<T>,
  nowMs: number,
  work: (tx: Transaction, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const mutated = await work(tx, nowMs);
  await tx.publish([
    record(auditTopic, {
      type: 'ActionTaken',
      actor: options.actor?.(mutated) ?? c.get('actor').ownerId,
      action: options.action,
      resource: mutated.resource,
      owner_id: mutated.ownerId,
      request_id: c.get('requestId'),
      at_ms: nowMs,
    }),
  ]);
  return mutated.answer;
}

/**
 * Every mutating call goes through here: one transaction holds the change, the states it publishes, its audit fact, and the
 * answer to an Idempotency-Key. So a crash leaves all of it or nothing, and no route can forget its audit fact.
 */
import { hashSecret } from '@millrace/auth';
import type { AuditFact } from '@millrace/events';
import { assertNever } from '@millrace/result';
import type { Context } from 'hono';
import { type ApiVariables, ProblemError } from './api-app.ts';
import { problem } from './problem.ts';

/** hono's environment of a route behind a login. */
export interface ActorEnv {
  Variables: ApiVariables & { readonly actor: { readonly ownerId: string } };
}

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

/** The part of the answer rows (@millrace/postgres) that a call needs. */
export interface AnswerClaims {
  claim(
    at: { readonly ownerId: string; readonly route: string; readonly key: string },
    bodySha256: string,
    nowMs: number,
    expiresAtMs: number,
  ): Promise<
    | { readonly kind: 'claimed' }
    | { readonly kind: 'kept'; readonly answer: { readonly body: unknown } }
    | { readonly kind: 'other-body' }
  >;
  keep(
    at: { readonly ownerId: string; readonly route: string; readonly key: string },
    answer: { readonly status: number; readonly body: unknown },
  ): Promise<void>;
}

export interface MutationDeps<Tx> {
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  readonly answersOf: (tx: Tx) => AnswerClaims;
  readonly audit: (tx: Tx, fact: AuditFact) => Promise<void>;
  readonly clock: { nowMs(): number };
  readonly onMutated: (action: string) => void;
  readonly onIdempotentCall: (outcome: 'first' | 'replayed' | 'other-body') => void;
}

const answerLifetimeMs = 24 * 3_600_000;

/** Carries out `work` in one transaction and gives its answer, or the first answer of the same Idempotency-Key. */
export async function mutate<Tx, E extends ActorEnv, T>(
  call: Context<E>,
  deps: MutationDeps<Tx>,
  options: MutationOptions<T>,
  work: (tx: Tx, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const c = call as unknown as Context<ActorEnv>; // E only adds variables to those of ActorEnv
  const nowMs = deps.clock.nowMs();
  const key = options.body === undefined ? undefined : c.req.header('idempotency-key');
  const answer = await deps.transaction(async (tx) => {
    if (key === undefined) return perform(c, tx, deps, options, nowMs, work);
    const answers = deps.answersOf(tx);
    const at = { ownerId: c.get('actor').ownerId, route: `${c.req.method} ${c.req.path}`, key };
    const claim = await answers.claim(at, hashSecret(JSON.stringify(options.body)), nowMs, nowMs + answerLifetimeMs);
    switch (claim.kind) {
      case 'claimed': {
        const first = await perform(c, tx, deps, options, nowMs, work);
        await answers.keep(at, { status: options.status ?? 200, body: first });
        deps.onIdempotentCall('first');
        return first;
      }
      case 'kept':
        deps.onIdempotentCall('replayed');
        c.header('idempotent-replayed', 'true');
        return claim.answer.body as T; // what `work` of this route answered first
      case 'other-body':
        deps.onIdempotentCall('other-body');
        throw new ProblemError(
          problem(422, 'idempotency-key-reused', 'Idempotency-Key used with another body', {
            detail: 'expected the body of the first call with this key, or a new key',
          }),
        );
      default:
        return assertNever(claim);
    }
  });
  deps.onMutated(options.action);
  return answer;
}

async function perform<Tx, T>(
  c: Context<ActorEnv>,
  tx: Tx,
  deps: MutationDeps<Tx>,
  options: MutationOptions<T>,
  nowMs: number,
  work: (tx: Tx, nowMs: number) => Promise<Mutated<T>>,
): Promise<T> {
  const mutated = await work(tx, nowMs);
  await deps.audit(tx, {
    type: 'ActionTaken',
    actor: options.actor?.(mutated) ?? c.get('actor').ownerId,
    action: options.action,
    resource: mutated.resource,
    owner_id: mutated.ownerId,
    request_id: c.get('requestId'),
    at_ms: nowMs,
  });
  return mutated.answer;
}

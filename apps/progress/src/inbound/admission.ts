/** Submits at more load than can be answered in time are turned away at once: 503 with Retry-After, counted by reason. */
import { ProblemError, problem } from '@millrace/http';
import type { MiddlewareHandler } from 'hono';
import type { ShedReason } from '../core/submit-gate.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';

type AdmissionDeps = Pick<RouteDeps, 'gate' | 'clock' | 'metrics'>;

/** Before anything is read: what would be turned away costs as little as it can. */
export function shedEarly(deps: AdmissionDeps): MiddlewareHandler<ProgressEnv> {
  return async (_c, next) => {
    const reason = deps.gate.refusal(deps.clock.monotonicMs());
    if (reason !== undefined) throw turnedAway(deps, reason);
    await next();
  };
}

/** Runs `work`, which submits, if there is room for it. A request is inside from here on: not while its body is on its way. */
export async function admit<T>(deps: AdmissionDeps, work: () => Promise<T>): Promise<T> {
  const { gate, clock, metrics } = deps;
  const entry = gate.enter(clock.monotonicMs());
  if (entry.kind === 'shed') throw turnedAway(deps, entry.reason);
  metrics.submitsOpen.set(gate.inside);
  try {
    return await work();
  } finally {
    entry.leave(clock.monotonicMs());
    metrics.submitsOpen.set(gate.inside);
  }
}

const retryAfterS = '1';

function turnedAway(deps: AdmissionDeps, reason: ShedReason): ProblemError {
  deps.metrics.shedSubmits.inc({ reason });
  const detail = `${deps.gate.inside} submissions are being taken, one more would wait too long: try again in ${retryAfterS} s`;
  const value = problem(503, 'overloaded', 'Too many submissions at once', { detail });
  return new ProblemError(value, { 'retry-after': retryAfterS });
}

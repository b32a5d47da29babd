/** Submits at more load than can be answered in time are turned away at once: 503 with Retry-After, counted by reason. */
import { type HttpMount, ProblemError, problem, writeProblem } from '@millrace/http';
import type { LoopTurn } from '../core/loop-turn.ts';
import type { ShedReason } from '../core/submit-gate.ts';
import type { RouteDeps } from './api-context.ts';

type AdmissionDeps = Pick<RouteDeps, 'gate' | 'clock' | 'metrics'>;

/** Runs `work`, which submits, if there is room for it. A request is inside from here on: not while its body is on its way. */
export async function admit<T>(deps: AdmissionDeps, work: () => Promise<T>): Promise<T> {
  const { gate, clock, metrics } = deps;
  const entry = gate.enter(clock.monotonicMs());
  if (entry.kind === 'shed') throw new ProblemError(turnedAway(deps, entry.reason), retryAfter);
  metrics.submitsOpen.set(gate.inside);
  try {
    return await work();
  } finally {
    entry.leave(clock.monotonicMs());
    metrics.submitsOpen.set(gate.inside);
  }
}

/** Paths that submit. */
const submits = /^\/api\/v1\/(?:compositions|videos\/[^/]+\/(?:run_sync|reprocess)|images\/[^/]+\/video)(?:\?|$)/;

/**
 * The mount, with submits that would be turned away answered before anything of them is read: at many times the load that can be borne,
 * saying no must cost next to nothing, or it takes the time of those that were let in.
 */
export function shedEarly(mount: HttpMount, deps: AdmissionDeps, turn: LoopTurn): HttpMount {
  return {
    ...mount,
    handle(request, response) {
      if (request.method !== 'POST' || !submits.test(request.url ?? '')) return mount.handle(request, response);
      const reason = deps.gate.refusal(deps.clock.monotonicMs(), turn.waitedMs());
      if (reason === undefined) return mount.handle(request, response);
      return writeProblem(response, turnedAway(deps, reason), retryAfter);
    },
  };
}

const retryAfter = { 'retry-after': '1' };

function turnedAway({ gate, metrics }: AdmissionDeps, reason: ShedReason) {
  metrics.shedSubmits.inc({ reason });
  const detail = `${gate.inside} submissions are being taken, one more would wait too long: try again in 1 s`;
  return problem(503, 'overloaded', 'Too many submissions at once', { detail });
}

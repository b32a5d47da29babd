/**
 * A job as its facts tell it. Progress never falls, an older attempt says nothing any more, and an end is an end until the job is
 * queued or started again.
 */
import type { JobFact, JobStep } from '@millrace/events';
import { assertNever } from '@millrace/result';

export interface JobRecord {
  readonly ownerId: string;
  readonly kind: string;
  readonly subject: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  readonly attempt: number;
  /** 0..100. */
  readonly progress: number;
  readonly phase: string | undefined;
  readonly etaMs: number | undefined;
  readonly error: string | undefined;
  readonly steps: readonly JobStep[] | undefined;
  /** Of an import: what has come, and of how much. */
  readonly receivedBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** ms since 1970. */
  readonly updatedAtMs: number;
}

/** Whether nothing more is expected of the job. */
export function hasEnded(job: JobRecord): boolean {
  return job.status !== 'pending' && job.status !== 'processing';
}

const blank = {
  ...{ phase: undefined, etaMs: undefined, error: undefined, steps: undefined },
  ...{ receivedBytes: undefined, totalBytes: undefined },
};

/** Folds one fact; returns `previous` itself when the fact changes nothing. */
export function foldJobFact(previous: JobRecord | undefined, fact: JobFact): JobRecord {
  const base: JobRecord = previous ?? {
    ...{ ownerId: fact.owner_id, kind: fact.kind, subject: fact.subject, status: 'pending', attempt: 0, progress: 0 },
    ...blank,
    updatedAtMs: fact.at_ms,
  };
  const at = { updatedAtMs: Math.max(base.updatedAtMs, fact.at_ms) };
  switch (fact.type) {
    case 'JobQueued':
      if (previous === undefined) return base;
      if (!hasEnded(base) || fact.at_ms <= base.updatedAtMs) return base;
      return { ...base, ...at, ...blank, status: 'pending', progress: 0 };
    case 'JobStarted':
      if (fact.attempt <= base.attempt) return base;
      return { ...base, ...at, status: 'processing', attempt: fact.attempt, error: undefined };
    case 'JobProgressed': {
      if (fact.attempt < base.attempt || (hasEnded(base) && fact.attempt === base.attempt)) return base;
      const said = {
        attempt: fact.attempt,
        phase: fact.phase,
        etaMs: fact.eta_ms,
        error: undefined,
        steps: fact.steps,
        receivedBytes: fact.bytes?.received,
        totalBytes: fact.bytes?.total ?? undefined,
      };
      return unlessSame(base, {
        ...base,
        ...at,
        ...said,
        status: 'processing',
        progress: Math.max(base.progress, fact.progress),
      });
    }
    case 'JobCompleted':
      if (hasEnded(base)) return base;
      return { ...base, ...at, status: 'completed', progress: 100, phase: undefined, etaMs: undefined };
    case 'JobFailed':
      if (hasEnded(base)) return base;
      return { ...base, ...at, status: 'failed', etaMs: undefined, error: fact.reason };
    case 'JobCancelled':
      if (hasEnded(base)) return base;
      return { ...base, ...at, status: 'cancelled', etaMs: undefined };
    default:
      return assertNever(fact);
  }
}

function unlessSame(before: JobRecord, after: JobRecord): JobRecord {
  const parts = (Object.keys(after) as (keyof JobRecord)[]).filter((part) => part !== 'steps');
  const same = parts.every((part) => before[part] === after[part]);
  return same && JSON.stringify(before.steps) === JSON.stringify(after.steps) ? before : after;
}

/** Jobs for tests, whose requests say what they are made of: the plan, and what follows from which task. */
import type { LeasedTask, TaskEnd, TaskResult, TaskSpec } from '@millrace/api';
import { type JobKind, jobKinds } from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import type { JobEffects, JobSummary, Submission, Submitted } from '../core/job-desk.ts';
import type { JobType } from '../core/job-types.ts';
import type { Advance, JobPlan, PlannedTask, TaskOutcome } from '../core/pipeline.ts';
import type { ProgressService } from '../service.ts';

/** The request of a planned job. */
export interface PlannedRequest extends JobPlan {
  /** What follows from the task of a key. */
  readonly follow?: Readonly<Record<string, Advance>>;
}

/** What the effects were told, in order. */
export interface Effect {
  readonly kind: 'started' | 'advanced' | 'ended';
  readonly job: JobSummary;
  readonly key?: string;
  readonly done?: ReadonlyMap<string, TaskOutcome>;
}

export interface PlannedJobs {
  readonly types: readonly JobType[];
  readonly effects: readonly Effect[];
}

const nothing: Advance = { tasks: [], skipped: [] };

/** Job types of every kind, by their requests; `more` joins their effects. */
export function plannedJobs(more: Pick<JobEffects, 'lock'> = {}): PlannedJobs {
  const told: Effect[] = [];
  const effects: JobEffects = {
    ...more,
    started: async (_tx, job) => void told.push({ kind: 'started', job }),
    advanced: async (_tx, job, { key }) => void told.push({ kind: 'advanced', job, key }),
    ended: async (_tx, job, done) => void told.push({ kind: 'ended', job, done }),
  };
  const typeOf = (kind: JobKind): JobType => ({
    pipeline: {
      kind,
      plan: (request) => request as PlannedRequest,
      advance: (request, finished) => (request as PlannedRequest).follow?.[finished.key] ?? nothing,
    },
    effects,
  });
  return { types: jobKinds.map(typeOf), effects: told };
}

/** A task that probes nothing, or publishes nothing: what a plan is made of here. */
export function aTask(
  key: string,
  given: Partial<Omit<PlannedTask, 'spec'>> & { readonly kind?: 'probe' | 'publish' } = {},
): PlannedTask {
  const { kind = 'probe', ...rest } = given;
  const spec: TaskSpec =
    kind === 'probe'
      ? { kind, source: key, limits: { max_duration_ms: 1, max_pixels: 1, max_frames_per_second: 1 } }
      : { kind, asset: key, duration_ms: 1, final: true };
  return { key, step: 'work', share: 1, after: [], spec, ...rest };
}

/** One step of one task, then another that waits for it. */
export function aRequest(given: Partial<PlannedRequest> = {}): PlannedRequest {
  return {
    steps: [
      { name: 'work', weight: 60, phase: 'working' },
      { name: 'publish', weight: 40, phase: 'publishing' },
    ],
    tasks: [aTask('a'), aTask('z', { step: 'publish', after: ['a'], kind: 'publish' })],
    ...given,
  };
}

export function aSubmission(given: Partial<Submission> = {}): Submission {
  return {
    jobId: newId('job', systemIdSource),
    kind: 'process',
    subject: newId('vid', systemIdSource),
    ownerId: 'own_test',
    priority: 'normal',
    request: aRequest(),
    force: false,
    ...given,
  };
}

/** Submits in a transaction of its own. */
export function tryToSubmit(at: { readonly service: ProgressService }, submission: Submission): Promise<Submitted> {
  const { store, desk } = at.service;
  return store.transaction((tx) => desk.submit(tx, submission));
}

/** The same for a submission that is to be accepted. */
export async function submit(at: { readonly service: ProgressService }, submission: Submission): Promise<JobSummary> {
  const submitted = await tryToSubmit(at, submission);
  if (submitted.kind !== 'accepted') throw new Error(`expected an accepted job, got ${submitted.kind}`);
  return submitted.job;
}

/** Cancels in a transaction of its own; gives what the desk says. */
export async function cancel(at: { readonly service: ProgressService }, jobId: string) {
  const { store, desk } = at.service;
  return (await store.transaction((tx) => desk.cancel(tx, jobId))).kind;
}

/** Everything that a worker can do. */
export const allKinds: ('probe' | 'publish')[] = ['probe', 'publish'];

/** Leases what is there now; waits for nothing. */
export async function lease(
  at: { readonly service: ProgressService },
  workerId: string,
  slots = 1,
  waitMs = 0,
): Promise<readonly LeasedTask[]> {
  const request = { worker_id: workerId, slots, kinds: allKinds, wait_ms: waitMs };
  const leased = await at.service.leases.lease(request, new AbortController().signal);
  if (!leased.ok) throw new Error(leased.error.message);
  return leased.value;
}

function resultOf(spec: TaskSpec): TaskResult {
  if (spec.kind === 'publish') return { kind: 'publish', rungs: [], bytes: 0 };
  const media = {
    ...{ container: 'mov', duration_ms: 1_000, size_bytes: 1, video: null, audio: null, bits_per_second: null },
  };
  return { kind: 'probe', media, keyframes_ms: [] };
}

export function doneWith(task: LeasedTask): TaskEnd {
  return { kind: 'done', task_id: task.task_id, fence: task.fence, result: resultOf(task.spec) };
}

export function failedWith(task: LeasedTask, retryable: boolean, code = 'bad-media'): TaskEnd {
  const failure = { code, reason: `expected media, got ${code}`, retryable };
  return { kind: 'failed', task_id: task.task_id, fence: task.fence, failure };
}

export function stopped(task: LeasedTask): TaskEnd {
  return { kind: 'stopped', task_id: task.task_id, fence: task.fence };
}

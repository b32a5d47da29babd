/** What progress and its workers say to each other about leases of tasks: internal, between services of one release. */
import { z } from 'zod';
import { type TaskKind, taskKinds, taskResultSchema, taskSpecSchema } from './work.ts';

/** A task in the hands of a worker. `fence` rises with every lease of the task; what an older one says is refused. */
export const leasedTaskSchema = z.object({
  task_id: z.string(),
  job_id: z.string(),
  fence: z.int(),
  spec: taskSpecSchema,
  /** Results of the tasks that this one waited for. */
  inputs: z.array(taskResultSchema),
});
export type LeasedTask = z.infer<typeof leasedTaskSchema>;

export const leaseRequestSchema = z.strictObject({
  worker_id: z.string().min(1).max(64),
  /** Tasks that it can take now. */
  slots: z.int().min(1).max(64),
  kinds: z.array(z.enum(taskKinds as [TaskKind, ...TaskKind[]])).min(1),
  /** How long the request may be held when there is nothing to do, ms. */
  wait_ms: z.int().min(0).max(30_000),
});
export type LeaseRequest = z.infer<typeof leaseRequestSchema>;

const held = { task_id: z.string(), fence: z.int() };
/** What a worker says of a task that it holds; every report renews the lease. */
export const taskReportSchema = z.object({
  ...held,
  /** 0..1; absent: only alive. */
  done: z.number().min(0).max(1).optional(),
  /** What it does now, in words, when the step's own words do not say it. */
  phase: z.string().max(200).optional(),
});
export type TaskReport = z.infer<typeof taskReportSchema>;

export const taskFailureSchema = z.object({
  /** Machine word: `bad-media`, `too-long`, `unsupported-codec`, `encoder-crashed`, `store-unavailable`... */
  code: z.string().max(64),
  /** For the user: what was expected, what came. */
  reason: z.string().max(2_000),
  /** Whether another attempt may do better. */
  retryable: z.boolean(),
});
export type TaskFailure = z.infer<typeof taskFailureSchema>;

/** How a task ended at its worker. `stopped` confirms a stop order: its processes are gone and its scratch space is free. */
export const taskEndSchema = z.discriminatedUnion('kind', [
  z.object({ ...held, kind: z.literal('done'), result: taskResultSchema }),
  z.object({ ...held, kind: z.literal('failed'), failure: taskFailureSchema }),
  z.object({ ...held, kind: z.literal('stopped') }),
  /** Given back untried or unfinished, as at a drain: not counted as an attempt. */
  z.object({ ...held, kind: z.literal('returned') }),
]);
export type TaskEnd = z.infer<typeof taskEndSchema>;

/** Stop the work on this lease now: it was cancelled, or it is another's since. */
export const stopOrderSchema = z.object({ ...held, reason: z.enum(['cancelled', 'lost']) });
export type StopOrder = z.infer<typeof stopOrderSchema>;

import type { LeasedTask, TaskEnd, TaskFailure, TaskKind, TaskResult } from '@millrace/api';
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import { err, type Result } from '@millrace/result';
import { textOf } from '../core/lease-book.ts';
import type { ScratchSpace } from '../core/scratch.ts';
import type { TaskContext, TaskExecutor, TaskExecutors } from '../core/task-executor.ts';
import { endOf, type Settled, type StopReason } from '../core/task-outcome.ts';

export interface TaskRunDeps {
  readonly executors: TaskExecutors;
  readonly store: MediaStore;
  readonly scratch: ScratchSpace;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The signal's reason while a task is told to stop. */
class TaskStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the task was stopped: ${reason}`);
    this.name = 'TaskStopped';
    this.reason = reason;
  }
}

/** A task at work, from its lease to the moment that nothing of it is left on this machine. */
export class TaskRun {
  readonly task: LeasedTask;
  /** Settles with what is to be said of it, once its executor has returned and its scratch folder is gone. Never rejects. */
  readonly over: Promise<TaskEnd | undefined>;
  readonly #abort = new AbortController();
  readonly #deps: TaskRunDeps;
  readonly #log: Logger;
  #stopped: { readonly reason: StopReason; readonly atMs: number } | undefined;
  #settled = false;

  constructor(deps: TaskRunDeps, task: LeasedTask, report: TaskContext['report']) {
    this.task = task;
    this.#deps = deps;
    this.#log = deps.log.with({ task_id: task.task_id, job_id: task.job_id, fence: task.fence, kind: task.spec.kind });
    this.over = this.#run(report);
  }

  get kind(): TaskKind {
    return this.task.spec.kind;
  }
  /** Why and when (monotonic ms) it was told to stop first. */
  get stopped(): { readonly reason: StopReason; readonly atMs: number } | undefined {
    return this.#stopped;
  }
  /** Its executor has returned and its folder is gone. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Ends the work; the first reason stands, but a lease that is gone has nobody left to be told anything. */
  stop(reason: StopReason): void {
    const gone = reason === 'lost' || reason === 'lapsed';
    if (this.#stopped !== undefined && !gone) return;
    const first = this.#stopped;
    this.#stopped = { reason, atMs: first?.atMs ?? this.#deps.clock.monotonicMs() };
    if (first !== undefined) return;
    this.#log.info('task-stopping', { reason });
    this.#abort.abort(new TaskStopped(reason));
  }

  async #run(report: TaskContext['report']): Promise<TaskEnd | undefined> {
    const settled = await this.#work(report).catch((error: unknown): Settled => {
      if (this.#stopped === undefined) this.#log.warn('task-crashed', { error });
      return { kind: 'threw', message: error instanceof Error ? error.message : String(error) };
    });
    this.#settled = true;
    return endOf(this.task, settled, this.#stopped?.reason);
  }

  async #work(report: TaskContext['report']): Promise<Settled> {
    const { scratch, store } = this.#deps;
    const folder = await scratch.open(textOf(this.task));
    try {
      this.#abort.signal.throwIfAborted();
      const { signal } = this.#abort;
      const context = { signal, scratch: folder.path, store, log: this.#log, inputs: this.task.inputs, report };
      return { kind: 'returned', result: await execute(this.#deps.executors, this.task, context) };
    } finally {
      await folder.remove();
    }
  }
}

function execute(
  executors: TaskExecutors,
  { spec }: LeasedTask,
  context: TaskContext,
): Promise<Result<TaskResult, TaskFailure>> {
  // The table's type ties each kind to its spec; TypeScript cannot follow that through a union.
  const executor = executors[spec.kind] as TaskExecutor<TaskKind> | undefined;
  if (executor !== undefined) return executor(spec, context);
  const reason = `expected one of ${Object.keys(executors).join(', ')}, got a task "${spec.kind}"`;
  return Promise.resolve(err({ code: 'no-executor', reason, retryable: true }));
}

import { stepProgress, taskHasEnded } from '@millrace/job';
import type { TaskRecord, TaskSums } from './task-rows.ts';

type Summed = Pick<TaskRecord, 'jobId' | 'step' | 'share' | 'done' | 'status' | 'fence' | 'phase' | 'rank' | 'runAtMs'>;

/** The sums of a job's tasks by step, of tasks in the order of planning; what `TaskRows.sums` reads of many jobs at once. */
export function sumTasks(tasks: readonly Summed[]): readonly TaskSums[] {
  const bySteps = new Map<string, Summed[]>();
  for (const task of tasks) bySteps.set(task.step, [...(bySteps.get(task.step) ?? []), task]);
  return [...bySteps].map(([step, own]): TaskSums => {
    const leased = own.filter((task) => task.status === 'leased');
    const talking = leased.filter((task) => task.phase !== undefined).sort((a, b) => a.rank - b.rank);
    const ready = own.filter((task) => task.status === 'ready').map((task) => task.runAtMs);
    return {
      jobId: own[0]?.jobId ?? '',
      step,
      tasks: own.length,
      open: own.filter((task) => !taskHasEnded(task.status)).length,
      leased: leased.length,
      touched: own.some((task) => task.fence > 0),
      done: stepProgress(own) / 100,
      phase: talking[0]?.phase,
      readyAtMs: ready.length === 0 ? undefined : Math.min(...ready),
    };
  });
}

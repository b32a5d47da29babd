import type { TranscodeSettings } from '../config.ts';
import type { TaskExecutors } from '../core/task-executor.ts';

/** Kind of task -> who does it. Kinds that are missing here are left to other workers. */
export function createTaskExecutors(_settings: TranscodeSettings): TaskExecutors {
  return {};
}

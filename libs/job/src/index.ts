export {
  type JobSignal,
  type JobState,
  jobHasEnded,
  jobSignals,
  jobStates,
  type MoveRefusal,
  moveJob,
  moveTask,
  type TaskSignal,
  type TaskState,
  taskHasEnded,
  taskSignals,
  taskStates,
} from './job-state.ts';
export { type Estimate, estimateEnd, observeProgress, type Pace } from './pace.ts';
export { defaultRetryPolicy, type RetryPolicy, type RetryVerdict, retryVerdict } from './retry.ts';
export {
  checkWeights,
  clampPercent,
  overallProgress,
  type StepShare,
  shareOutWeights,
  stepProgress,
  type TaskShare,
  type WeightedStep,
  type WeightMistake,
} from './step-progress.ts';

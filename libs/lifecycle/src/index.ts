export { Background } from './background.ts';
export { backoffMs } from './backoff.ts';
export { exitCode, type RunOptions, runUntilSignal } from './run.ts';
export { Scope } from './scope.ts';

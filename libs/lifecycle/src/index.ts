export { Background } from './background.ts';
export { backoffMs } from './backoff.ts';
export { lockFolder } from './folder-lock.ts';
export { isAlive, startMark } from './process-probe.ts';
export { exitCode, type RunOptions, runUntilSignal } from './run.ts';
export { Scope } from './scope.ts';

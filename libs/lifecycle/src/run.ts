/** Exit codes of every Millrace process (64 and 1 as linkerd2-proxy has them; sysexits.h EX_USAGE). */
export const exitCode = { ok: 0, failed: 1, badConfig: 64, drainOverran: 70 } as const;

/** A signal this soon after the first one is its echo, ms. */
const echoMs = 500;

export interface RunOptions {
  /** Longest wait for a drain, ms; after it the process exits with `drainOverran`. */
  readonly drainDeadlineMs: number;
  /** Told of each step: 'started', 'draining' (with the signal), 'stopped', 'forced'. */
  readonly onPhase: (phase: 'started' | 'draining' | 'stopped' | 'forced' | 'failed', detail: unknown) => void;
}

/**
 * The life of a process: opens the service, waits for SIGINT or SIGTERM, closes it under a deadline and returns the exit
 * code. A second signal forces an exit at once. Only mains call this.
 */
export async function runUntilSignal(open: () => Promise<AsyncDisposable>, options: RunOptions): Promise<number> {
  let stop: (signal: string) => void = () => {};
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  let firstAt: number | undefined;
  const onSignal = (signal: string) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      return stop(signal);
    }
    // Under npm one Ctrl-C arrives twice: from the terminal and, a moment later, forwarded by npm.
    if (performance.now() - firstAt < echoMs) return;
    options.onPhase('forced', signal);
    process.exit(exitCode.failed);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let service: AsyncDisposable;
  try {
    service = await open();
  } catch (error) {
    options.onPhase('failed', error);
    return exitCode.failed;
  }
  options.onPhase('started', undefined);
  options.onPhase('draining', await stopped);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overran = new Promise<'overran'>((resolve) => {
    timer = setTimeout(() => resolve('overran'), options.drainDeadlineMs);
  });
  const outcome = await Promise.race([service[Symbol.asyncDispose](), overran]);
  clearTimeout(timer);
  options.onPhase('stopped', outcome);
  return outcome === 'overran' ? exitCode.drainOverran : exitCode.ok;
}

/** Exit codes of every Millrace process (64 and 1 as linkerd2-proxy has them; sysexits.h EX_USAGE). */
export const exitCode = { ok: 0, failed: 1, badConfig: 64, drainOverran: 70 } as const;

/** Longest timer that there is, ms. */
const longestMs = 2 ** 31 - 1;
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
 *
 * It keeps the process alive until then by itself: a service that is opening may for a moment wait for nothing but a Clock
 * (the pause before it asks the brokers again), whose timers do not, and Node would end with exit code 13.
 */
export async function runUntilSignal(open: () => Promise<AsyncDisposable>, options: RunOptions): Promise<number> {
  const alive = setInterval(() => {}, longestMs);
  try {
    return await live(open, options);
  } finally {
    clearInterval(alive);
  }
}

async function live(open: () => Promise<AsyncDisposable>, options: RunOptions): Promise<number> {
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  // From the signal on, whether it comes to a service that runs or to one that still opens.
  const overran = stopped.then(
    () =>
      new Promise<'overran'>((resolve) => {
        timer = setTimeout(() => resolve('overran'), options.drainDeadlineMs);
      }),
  );
  let service: AsyncDisposable | 'overran';
  try {
    service = await Promise.race([open(), overran]);
  } catch (error) {
    options.onPhase('failed', error);
    clearTimeout(timer);
    return exitCode.failed;
  }
  if (service !== 'overran') {
    options.onPhase('started', undefined);
    options.onPhase('draining', await stopped);
  }
  const outcome = service === 'overran' ? service : await Promise.race([service[Symbol.asyncDispose](), overran]);
  clearTimeout(timer);
  options.onPhase('stopped', outcome);
  return outcome === 'overran' ? exitCode.drainOverran : exitCode.ok;
}

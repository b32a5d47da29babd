/** Owned child processes: they end with their owner. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface OwnedChild extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Settles with the exit code (null after a signal). */
  readonly ended: Promise<number | null>;
  /** The end of what it printed, at most 64 KiB. */
  log(): string;
}

/** Starts a program with its output captured. `stdin`: whether the caller writes to it. */
export function startChild(
  command: string,
  args: readonly string[],
  options: { readonly stdin?: boolean; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): OwnedChild {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-65_536);
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', (error) => {
      log += error.message;
      resolve(127);
    });
  });
  return {
    pid: child.pid ?? 0,
    process: child,
    ended,
    log: () => log,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Programs that a test starts: their output is kept, and they never outlive it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { eventually } from './eventually.ts';

export interface ChildProgram extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it wrote so far, at most the last 1 MiB. */
  stdout(): string;
  stderr(): string;
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly running: boolean;
  /** Sends a signal and waits until it has ended; after `withinMs` it is killed and this throws. */
  stop(signal: NodeJS.Signals, withinMs?: number): Promise<{ readonly code: number | null }>;
}

const keptBytes = 1024 * 1024;

/** Starts `command`. Its standard input is a pipe when `input` is set. Disposing kills it. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: boolean;
  } = {},
): ChildProgram {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  const kept = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      kept[name] = (kept[name] + text).slice(-keptBytes);
    });
  }
  child.stdin?.on('error', () => {}); // it may end while input is under way
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      kept.stderr += error.message;
      resolve({ code: 127, signal: null });
    });
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  return {
    pid: child.pid ?? 0,
    process: child,
    stdout: () => kept.stdout,
    stderr: () => kept.stderr,
    ended,
    get running() {
      return isRunning();
    },
    async stop(signal, withinMs = 15_000) {
      child.kill(signal);
      try {
        await eventually(() => !isRunning(), `${command} ends after ${signal}`, withinMs);
      } catch (error) {
        child.kill('SIGKILL');
        throw new Error(`${String(error)}\n${kept.stderr.slice(-2_000)}`, { cause: error });
      }
      return ended;
    },
    async [Symbol.asyncDispose]() {
      if (isRunning()) child.kill('SIGKILL');
      await ended;
    },
  };
}

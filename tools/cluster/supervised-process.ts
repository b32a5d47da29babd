/**
 * A process that is kept running: started again with backoff when it ends by itself, ended with its owner. It leads a
 * session of its own, so that a Ctrl-C in the terminal reaches only the runner, which stops everything in order; the
 * kernel ends it when the runner is killed (setpriv --pdeathsig). What it leaves behind in its group is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { backoffMs } from '@millrace/lifecycle';
import type { ProcessLog } from './process-log.ts';

export interface ProcessSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** How it is asked to stop; nginx drains at SIGQUIT. */
  readonly stopSignal: NodeJS.Signals;
  /** Longest wait for it to end after that, ms; then it is killed. */
  readonly stopWithinMs: number;
}

/** `failed`: it refuses its settings (exit code 64), so that starting it again is of no use. */
export type ProcessState = 'running' | 'waiting' | 'failed' | 'stopped';

export interface ProcessObserver {
  /** It ended by itself and is started again in `againInMs`; undefined: it is not. */
  ended(name: string, how: string, againInMs: number | undefined): void;
  restarted(name: string, pid: number): void;
}

const firstWaitMs = 250;
const longestWaitMs = 10_000;
/** Who ran this long has recovered: the next crash waits as the first did. */
const recoveredMs = 30_000;
const badConfig = 64;

export class SupervisedProcess implements AsyncDisposable {
  readonly spec: ProcessSpec;
  readonly #log: ProcessLog;
  readonly #observer: ProcessObserver;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: ProcessState = 'stopped';
  #startedMs = 0;
  #attempt = 0;
  #restarts = 0;

  constructor(spec: ProcessSpec, log: ProcessLog, observer: ProcessObserver) {
    this.spec = spec;
    this.#log = log;
    this.#observer = observer;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#state === 'running' ? (this.#child?.pid ?? 0) : 0;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The last of what it wrote. */
  tail(): string {
    return this.#log.tail();
  }

  start(): void {
    clearTimeout(this.#timer);
    if (this.#state === 'running') return;
    const [command = '', ...args] = ['setpriv', '--pdeathsig', 'TERM', '--', ...this.spec.command];
    const child = spawn(command, args, {
      cwd: this.spec.cwd,
      env: this.spec.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#state = 'running';
    this.#startedMs = performance.now();
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => this.#log.write(bytes));
    this.#gone = new Promise((resolve) => {
      const onEnd = (how: string, code: number | null) => {
        killGroup(child.pid);
        resolve();
        if (this.#child === child) this.#onEnd(how, code);
      };
      child.once('error', (error) => onEnd(error.message, null));
      child.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`, code));
    });
  }

  /** Sends a signal and leaves the rest to supervision: after SIGKILL it is started again. Settles when it ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const gone = this.#gone;
    if (this.pid > 0) process.kill(this.pid, signal);
    if (signal === 'SIGKILL') await gone;
  }

  /** Ends it for good: asks, waits, kills. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const { pid } = this;
    if (this.#state !== 'failed') this.#state = 'stopped';
    if (pid === 0) return;
    process.kill(pid, 'SIGCONT'); // one that stands still would not hear
    process.kill(pid, this.spec.stopSignal);
    const overdue = setTimeout(() => killGroup(pid), this.spec.stopWithinMs);
    await this.#gone;
    clearTimeout(overdue);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #onEnd(how: string, code: number | null): void {
    if (this.#state !== 'running') return;
    if (code === badConfig) {
      this.#state = 'failed';
      return this.#observer.ended(this.spec.name, how, undefined);
    }
    if (performance.now() - this.#startedMs > recoveredMs) this.#attempt = 0;
    const againInMs = backoffMs(this.#attempt++, firstWaitMs, longestWaitMs, Math.random());
    this.#state = 'waiting';
    this.#observer.ended(this.spec.name, how, againInMs);
    this.#timer = setTimeout(() => {
      this.start();
      this.#restarts++;
      this.#observer.restarted(this.spec.name, this.pid);
    }, againInMs);
  }
}

/** Children that a killed process left: nginx's workers, encoders. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

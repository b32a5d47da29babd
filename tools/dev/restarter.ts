/** Keeps one process running, and replaces it after its sources changed and built. */
import type { ChildProcess } from 'node:child_process';

export interface RestarterOptions {
  /** Builds what is to run; a rejection leaves the running process as it is. */
  readonly build: () => Promise<string>;
  readonly start: (bundle: string) => ChildProcess;
  readonly say: (line: string) => void;
  /** How long nothing may change before a build starts, ms: editors and git write many files at once. */
  readonly quietMs: number;
  /** How long a process may take to drain before it is killed, ms. */
  readonly stopDeadlineMs: number;
}

export class Restarter {
  readonly #options: RestarterOptions;
  #child: ChildProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #stopping = false;
  #lastCode = 0;

  constructor(options: RestarterOptions) {
    this.#options = options;
  }

  /** Builds and starts for the first time. */
  run(): Promise<void> {
    return this.#restart();
  }

  /** Told of a changed file. */
  changed(name: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#options.say(`${name} changed`);
      void this.#restart();
    }, this.#options.quietMs);
  }

  /** Stops for good with `signal`; resolves with the exit code of the process. */
  async stop(signal: NodeJS.Signals): Promise<number> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#work;
    await this.#end(signal);
    return this.#lastCode;
  }

  /** One build and restart at a time; those asked for meanwhile follow. */
  #restart(): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#stopping) return;
      let bundle: string;
      try {
        bundle = await this.#options.build();
      } catch (error) {
        this.#options.say(`not restarted: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      await this.#end('SIGTERM');
      if (this.#stopping) return;
      const child = this.#options.start(bundle);
      this.#child = child;
      child.once('exit', (code, by) => {
        this.#lastCode = code ?? 1;
        if (this.#child === child) this.#child = undefined;
        this.#options.say(`the server ended with ${by ?? `exit code ${code}`}; waiting for a change`);
      });
    });
    return this.#work;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopDeadlineMs);
    await ended;
    clearTimeout(timer);
  }
}

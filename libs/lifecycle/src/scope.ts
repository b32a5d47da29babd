/**
 * Ownership with reverse-order close: whoever opens something puts it in its Scope, and the Scope closes what it holds
 * last-opened first, each step with a deadline, so that one stuck close cannot hold up the rest.
 * (Node 20 has no AsyncDisposableStack.)
 */
export interface ScopeOptions {
  /** Longest wait for one close, ms. */
  readonly stepDeadlineMs?: number;
  /** Told of a close that threw or overran; the remaining closes still run. */
  readonly onError?: (name: string, error: unknown) => void;
}

interface Step {
  readonly name: string;
  readonly close: () => unknown;
}

export class Scope implements AsyncDisposable {
  readonly #steps: Step[] = [];
  readonly #abort = new AbortController();
  readonly #options: ScopeOptions;
  #closing: Promise<void> | undefined;

  constructor(options: ScopeOptions = {}) {
    this.#options = options;
  }

  /** Aborted as the first thing when the scope begins to close; give it to every background loop. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Takes ownership of a disposable and returns it. */
  use<T extends AsyncDisposable | Disposable>(value: T, name = value.constructor.name): T {
    const owned: AsyncDisposable | Disposable = value;
    this.defer(name, () => (Symbol.asyncDispose in owned ? owned[Symbol.asyncDispose]() : owned[Symbol.dispose]()));
    return value;
  }

  /** Registers a close step. Steps run in reverse order of registration. */
  defer(name: string, close: () => unknown): void {
    if (this.#closing) throw new Error(`scope is closing: cannot add "${name}"`);
    this.#steps.push({ name, close });
  }

  /** Closes everything once; further calls wait for the first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    const deadlineMs = this.#options.stepDeadlineMs ?? 10_000;
    for (const step of this.#steps.reverse()) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error(`close took longer than ${deadlineMs} ms`)), deadlineMs);
        });
        await Promise.race([Promise.resolve(step.close()), late]);
      } catch (error) {
        this.#options.onError?.(step.name, error);
      } finally {
        clearTimeout(timer);
      }
    }
    this.#steps.length = 0;
  }
}

import { ProblemError, problem } from '@millrace/http';

/** How many exports are read at once; a slow reader holds one, and one that goes away gives it back and stops the statement. */
export class ExportSlots {
  readonly #limit: number;
  readonly #onChange: (open: number) => void;
  readonly #open = new Set<AbortController>();

  constructor(limit: number, onChange: (open: number) => void) {
    this.#limit = limit;
    this.#onChange = onChange;
  }

  /** Opens a body in a slot of its own; throws a 503 problem when there is none. */
  async open(start: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>): Promise<ReadableStream<Uint8Array>> {
    if (this.#open.size >= this.#limit) {
      const detail = `expected at most ${this.#limit} exports at once: try again when another has ended`;
      throw new ProblemError(problem(503, 'too-many-exports', 'Too many exports', { detail }), { 'retry-after': '10' });
    }
    const slot = new AbortController();
    this.#open.add(slot);
    this.#onChange(this.#open.size);
    const release = () => {
      this.#open.delete(slot);
      this.#onChange(this.#open.size);
    };
    try {
      const reader = (await start(slot.signal)).getReader();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              release();
              controller.close();
            } else controller.enqueue(value);
          } catch (error) {
            release();
            controller.error(error);
          }
        },
        async cancel(reason) {
          slot.abort();
          release();
          await reader.cancel(reason).catch(() => {}); // the statement is being stopped anyway
        },
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Stops every export, at shutdown. */
  stop(): void {
    for (const slot of this.#open) slot.abort();
  }
}

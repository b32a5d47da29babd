/** Shows the health of a cluster: one table that is drawn again in place on a terminal, lines of what changed elsewhere. */
import type { WriteStream } from 'node:tty';
import { Background } from '@millrace/lifecycle';
import type { ClusterProcesses } from './cluster.ts';
import { changesBetween, type ProcessRow, renderTable } from './process-health.ts';
import type { ProcessObserver } from './supervised-process.ts';

export type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

const everyMs = 1_000;

export class HealthDisplay implements ProcessObserver {
  readonly #out: Output;
  #drawn = 0;
  #last: readonly ProcessRow[] = [];

  constructor(out: Output) {
    this.#out = out;
  }

  ended(name: string, how: string, againInMs: number | undefined): void {
    const next =
      againInMs === undefined ? 'it refuses its settings and stays down' : `again in ${Math.round(againInMs)} ms`;
    this.line(`${name} ended (${how}): ${next}`);
  }

  restarted(name: string, pid: number): void {
    this.line(`${name} was started again, pid ${pid}`);
  }

  /** Writes a line; a table on a terminal stays below it. */
  line(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    if (this.#last.length > 0 && this.#out.isTTY) this.#draw();
  }

  show(rows: readonly ProcessRow[]): void {
    if (!this.#out.isTTY) {
      for (const change of changesBetween(this.#last, rows)) this.#out.write(`${change}\n`);
      this.#last = rows;
      return;
    }
    this.#erase();
    this.#last = rows;
    this.#draw();
  }

  /** Shows `cluster` every second until it is disposed. */
  follow(cluster: Pick<ClusterProcesses, 'rows'>): AsyncDisposable {
    return new Background(
      async (signal) => {
        while (!signal.aborted) {
          const rows = await cluster.rows();
          if (signal.aborted) return;
          this.show(rows);
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, everyMs);
            signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
          });
        }
      },
      (error) => this.line(`the health of the cluster can no longer be shown: ${String(error)}`),
    );
  }

  #draw(): void {
    const lines = renderTable(this.#last, this.#out.columns ?? 120);
    this.#out.write(`\n${lines.join('\n')}\n`);
    this.#drawn = lines.length + 1;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}

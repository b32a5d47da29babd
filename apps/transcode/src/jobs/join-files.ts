/** Opens what a join is made of: its inputs with the times of their packets, and the plan that follows from them. */
import type { SpecOf, TaskFailure } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import { type JoinPlan, planJoin, rangeOf } from '../core/join-plan.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { markOf } from './file-mark.ts';
import { type JoinSource, openJoinSource } from './join-source.ts';
import { refusal } from './task-failures.ts';

/** Pictures and packets of sound of files that are remembered: about 30 MB. */
const mostPackets = 2_000_000;

export interface OpenedJoin {
  /** One for each input. */
  readonly sources: readonly JoinSource[];
  readonly plan: JoinPlan;
}

/**
 * Every task of a composition reads the packets of its files, and a worker does many of them: what was read of a file is remembered. A file
 * that was written since is another one; of a store without files nothing is remembered.
 */
export class JoinFiles {
  readonly #known = new Map<string, JoinSource>();
  #packets = 0;

  /** Opens a file of the store. */
  async open(key: string, context: TaskContext): Promise<Result<JoinSource, TaskFailure>> {
    const path = context.store.localPath(key);
    const mark = path === undefined ? undefined : await markOf(path);
    const known = mark === undefined ? undefined : this.#known.get(mark);
    if (known !== undefined) return ok(known);
    const opened = await openJoinSource(key, context);
    if (opened.ok && mark !== undefined) this.#remember(mark, opened.value);
    return opened;
  }

  /** Opens the inputs of a join, one after the other, and plans it; `onProgress`: 0..1. */
  async openAll(
    { inputs, transition }: Pick<SpecOf<'join'>, 'inputs' | 'transition'>,
    context: TaskContext,
    onProgress: (done: number) => void,
  ): Promise<Result<OpenedJoin, TaskFailure>> {
    const taken = new Map<string, JoinSource>(); // more than are remembered, and each is read once
    for (const [i, { source }] of inputs.entries()) {
      if (taken.has(source)) continue;
      const opened = await this.open(source, context);
      if (!opened.ok) return opened;
      taken.set(source, opened.value);
      onProgress((i + 1) / inputs.length);
    }
    const sources = inputs.map(({ source }) => taken.get(source) as JoinSource);
    const tables = inputs.map(({ trim }, i) => ({ table: (sources[i] as JoinSource).table, trim }));
    const empty = tables.findIndex(({ table, trim }) => rangeOf(table, trim).to <= rangeOf(table, trim).from);
    if (empty !== -1) return err(refusal('bad-trim', `expected pictures in the part of video ${empty + 1}, got none`));
    return ok({ sources, plan: planJoin(tables, transition) });
  }

  #remember(mark: string, source: JoinSource): void {
    const size = packetsOf(source);
    if (size > mostPackets) return;
    this.#known.set(mark, source);
    this.#packets += size;
    for (const [oldest, one] of this.#known) {
      if (this.#packets <= mostPackets) return;
      this.#known.delete(oldest);
      this.#packets -= packetsOf(one);
    }
  }
}

function packetsOf({ table, aac }: JoinSource): number {
  return table.length + (aac?.timesMs.length ?? 0);
}

/**
 * Parts of a task that are kept in the store as soon as they are made, beside what other tasks of the job left there: when the worker dies,
 * the next one takes them up. The folder is that of one job, whose plan is always the same, so parts of one name are alike.
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskFailure } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import type { TaskContext } from '../core/task-executor.ts';
import { failureOfStore } from './task-failures.ts';

export class KeptParts {
  readonly #work: string | undefined;
  readonly #context: Pick<TaskContext, 'store' | 'scratch'>;
  readonly #known: Set<string>;

  private constructor(work: string | undefined, known: Set<string>, context: Pick<TaskContext, 'store' | 'scratch'>) {
    this.#work = work;
    this.#known = known;
    this.#context = context;
  }

  /** Looks at what there is in the job's folder `work`; undefined: nothing is kept. */
  static async open(work: string | undefined, context: Pick<TaskContext, 'store' | 'scratch'>): Promise<KeptParts> {
    const known = new Set<string>();
    if (work !== undefined) for await (const { key } of context.store.list(`${work}/`)) known.add(key);
    return new KeptParts(work, known, context);
  }

  has(name: string): boolean {
    return this.#known.has(`${this.#work}/${name}`);
  }

  /** Lets `make` write the part to a file, unless it is there, and keeps it. */
  async make(
    name: string,
    make: (path: string) => Promise<Result<void, TaskFailure>>,
  ): Promise<Result<void, TaskFailure>> {
    if (this.has(name)) return ok();
    const path = join(this.#context.scratch, name);
    const made = await make(path);
    if (!made.ok || this.#work === undefined) return made;
    const key = `${this.#work}/${name}`;
    const kept = await this.#context.store.putFile(key, path);
    if (!kept.ok) return err(failureOfStore(kept.error, 'keeping a part of the joined video'));
    await rm(path, { force: true });
    this.#known.add(key);
    return ok();
  }

  /** The bytes of a part that was made. */
  async read(name: string): Promise<Result<AsyncIterable<Uint8Array>, TaskFailure>> {
    if (this.#work === undefined) return ok(createReadStream(join(this.#context.scratch, name)));
    const object = await this.#context.store.get(`${this.#work}/${name}`);
    return object.ok ? ok(object.value.bytes) : err(failureOfStore(object.error, 'reading a part of the joined video'));
  }
}

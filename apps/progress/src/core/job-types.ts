import type { JobKind } from '@millrace/events';
import type { JobEffects } from './job-desk.ts';
import type { Pipeline } from './pipeline.ts';

/** One kind of job: what it is made of, and what its subject's owner does when it moves. */
export interface JobType {
  readonly pipeline: Pipeline;
  readonly effects: JobEffects;
}

/** The kinds of jobs that this progress knows. */
export class JobTypes {
  readonly #types = new Map<JobKind, JobType>();

  constructor(types: readonly JobType[]) {
    for (const type of types) {
      const { kind } = type.pipeline;
      if (this.#types.has(kind)) throw new Error(`job types: ${kind} is there twice`);
      this.#types.set(kind, type);
    }
  }

  get kinds(): readonly JobKind[] {
    return [...this.#types.keys()];
  }

  of(kind: JobKind): JobType {
    const type = this.#types.get(kind);
    if (type === undefined) throw new Error(`job types: expected ${this.kinds.join(', ')}, got ${kind}`);
    return type;
  }
}

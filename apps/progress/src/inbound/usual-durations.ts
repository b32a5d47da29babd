import type { Clock } from '@millrace/clock';
import type { JobKind } from '@millrace/events';
import type { JobRows } from '../core/job-rows.ts';

/** How long jobs of each kind usually take: read anew now and then, answered at once from what was read last. */
export class UsualDurations {
  readonly #known = new Map<JobKind, { readonly ms: number | undefined; readonly atMs: number }>();
  readonly #reading = new Set<JobKind>();
  readonly #jobs: Pick<JobRows, 'usualDurationMs'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(jobs: Pick<JobRows, 'usualDurationMs'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#jobs = jobs;
    this.#clock = clock;
  }

  readonly of = (kind: JobKind): number | undefined => {
    const known = this.#known.get(kind);
    if (known === undefined || this.#clock.monotonicMs() - known.atMs > freshMs) void this.#read(kind); // never rejects
    return known?.ms;
  };

  async #read(kind: JobKind): Promise<void> {
    if (this.#reading.has(kind)) return;
    this.#reading.add(kind);
    try {
      const ms = await this.#jobs.usualDurationMs(kind);
      this.#known.set(kind, { ms, atMs: this.#clock.monotonicMs() });
    } catch {
      // an estimate without it, until the next one who asks
    } finally {
      this.#reading.delete(kind);
    }
  }
}

const freshMs = 15_000;

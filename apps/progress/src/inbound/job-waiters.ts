/** Who waits for the end of a job: told by the hint of the transaction that ended it, and by a look now and then. */
import { type Clock, sleep } from '@millrace/clock';
import { jobHasEnded } from '@millrace/job';
import type { JobDesk, JobEndStatus } from '../core/job-desk.ts';
import type { JobRows } from '../core/job-rows.ts';

type Told = (status: JobEndStatus | undefined) => void;

export class JobWaiters {
  readonly #waiting = new Map<string, Set<Told>>();
  readonly #jobs: Pick<JobRows, 'get' | 'getMany'>;
  readonly #clock: Clock;
  readonly #pollMs: number;

  constructor(jobs: Pick<JobRows, 'get' | 'getMany'>, clock: Clock, pollMs: number) {
    this.#jobs = jobs;
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  /** See `JobDesk.ended`. */
  readonly ended: JobDesk['ended'] = async (jobId, signal) => {
    if (signal.aborted) return undefined;
    let told: Told = () => {};
    const end = new Promise<JobEndStatus | undefined>((resolve) => {
      told = resolve;
    });
    const leave = () => told(undefined);
    const own = this.#waiting.get(jobId) ?? new Set();
    this.#waiting.set(jobId, own.add(told));
    signal.addEventListener('abort', leave, { once: true });
    try {
      const job = await this.#jobs.get(jobId);
      if (job === undefined) throw new Error(`job ${jobId}: expected a job to wait for, there is none`);
      return endOf(job.status) ?? (await end);
    } finally {
      signal.removeEventListener('abort', leave);
      own.delete(told);
      if (own.size === 0) this.#waiting.delete(jobId);
    }
  };

  /** A job has ended. */
  tell(jobId: string, status: JobEndStatus): void {
    for (const told of this.#waiting.get(jobId) ?? []) told(status);
  }

  /** Looks for ends whose hint was lost, until `signal` aborts; then nobody waits any more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#clock, this.#pollMs, signal);
      if (this.#waiting.size === 0) continue;
      // an outage of the database is made good by the next look
      const jobs = await this.#jobs.getMany([...this.#waiting.keys()]).catch(() => []);
      for (const job of jobs) {
        const status = endOf(job.status);
        if (status !== undefined) this.tell(job.jobId, status);
      }
    }
    for (const all of this.#waiting.values()) for (const told of all) told(undefined);
  }
}

function endOf(status: JobEndStatus | 'pending' | 'processing'): JobEndStatus | undefined {
  if (!jobHasEnded(status)) return undefined;
  return status === 'pending' || status === 'processing' ? undefined : status;
}

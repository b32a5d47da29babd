import type { HubChange, HubJob } from '@millrace/api';
import type { BoardShape } from './board-shape.ts';
import type { JobRecord } from './job-record.ts';
import type { View } from './view.ts';

export interface JobParts {
  readonly job: JobRecord | undefined;
}

export const unknownJob: JobParts = { job: undefined };

/** Jobs are their owner's; admins see all. */
export class JobShape implements BoardShape<JobParts> {
  readonly list = 'jobs';
  readonly prefix = 'job:';
  readonly #known: (jobId: string) => boolean;

  constructor(known: (jobId: string) => boolean) {
    this.#known = known;
  }

  resolve(name: string): string | undefined {
    return this.#known(name) ? name : undefined;
  }

  exists(state: JobParts): boolean {
    return state.job !== undefined;
  }

  ownerOf(state: JobParts): string | undefined {
    return state.job?.ownerId;
  }

  strangersView(): undefined {
    return undefined;
  }

  mayList(view: View): boolean {
    return view.kind === 'owner' || view.kind === 'admin';
  }

  sees(view: View, { job }: JobParts): boolean {
    if (job === undefined) return false;
    return view.kind === 'admin' || (view.kind === 'owner' && view.ownerId === job.ownerId);
  }

  show(_view: View, id: string, { job }: JobParts): HubChange {
    if (job === undefined) throw new Error(`job ${id}: expected a record`);
    const shown: HubJob = {
      job_id: id,
      owner_id: job.ownerId,
      kind: job.kind,
      subject: job.subject,
      status: job.status,
      progress: job.progress,
      phase: job.phase ?? null,
      eta_ms: job.etaMs ?? null,
      error: job.error ?? null,
      steps: job.steps?.map((step) => ({ ...step })) ?? null,
      ...(job.receivedBytes === undefined
        ? {}
        : { bytes: { received: job.receivedBytes, total: job.totalBytes ?? null } }),
      updated_at: new Date(job.updatedAtMs).toISOString(),
    };
    return { kind: 'job', job: shown };
  }

  removed(): undefined {
    return undefined;
  }

  conflated(): undefined {
    return undefined;
  }

  listing(changes: readonly HubChange[]): { jobs: HubJob[] } {
    return { jobs: changes.flatMap((change) => (change.kind === 'job' ? [change.job] : [])) };
  }
}

/** A composition as the API told it, brought up to date by what the hub says of its job. Pure. */
import type { HubJob } from '@millrace/api';
import { withHubJob } from '../jobs/live-progress.ts';
import type { Composition } from './composition-resources.ts';

export function withCompositionJob(told: Composition, job: HubJob | undefined): Composition {
  const { status, cancelling, progress, phase, steps, eta_ms, updated_at } = withHubJob(
    { ...told, eta_basis: null, attempts: [], started_at: null, finished_at: null },
    job,
  );
  return { ...told, status, cancelling, progress, phase, steps, eta_ms, updated_at };
}

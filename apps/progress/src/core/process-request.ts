/**
 * What a `process` job is asked to do: made when it is submitted, kept with the job, read by the pipeline. A whole run writes a
 * new asset beside the old one. A run of some steps (new subtitles, a new poster) writes into the asset that is there, and knows
 * by `previous` what the earlier run made.
 */
import { type ProcessingStep, processingSteps } from '@millrace/api';
import type { TaskOutcome } from './pipeline.ts';

export interface ProcessRequest {
  readonly video_id: string;
  /** Key of the original. */
  readonly source: string;
  /** Folder to publish into, without the final slash: `videos/{video_id}/{asset id}`. */
  readonly asset: string;
  /** The job's own folder, without the final slash: `work/{job_id}`. */
  readonly work: string;
  /** Spoken language, BCP 47; null: not known. */
  readonly language: string | null;
  /** Only these steps; null: all of them. */
  readonly steps: readonly ProcessingStep[] | null;
  /** Outcomes of the run that made the asset; empty for a whole run. */
  readonly previous: readonly TaskOutcome[];
}

const order = Object.keys(processingSteps) as readonly ProcessingStep[];
/** Steps whose output other parts of an asset do not depend on. */
const separate: ReadonlySet<ProcessingStep> = new Set(['subtitles', 'poster', 'publish']);

/**
 * The steps to run of those that were asked for, in order; null: all. The probe, audio and the ladder are what an asset is made
 * of, so a run of one of them makes a whole new asset, as does any run of a video that has no complete one.
 */
export function stepsToRun(asked: readonly ProcessingStep[] | undefined, complete: boolean): ProcessRequest['steps'] {
  if (asked === undefined || !complete || asked.some((step) => !separate.has(step))) return null;
  return order.filter((step) => asked.includes(step));
}

/** The request of a `process` job as it was kept. Throws on one that no video submitted (a bug). */
export function processRequestOf(request: unknown): ProcessRequest {
  if (typeof request === 'object' && request !== null && 'video_id' in request && 'asset' in request) {
    return request as ProcessRequest; // written by `submitRun`, kept as it was
  }
  throw new Error(`expected the request of a process job, got ${JSON.stringify(request)?.slice(0, 100)}`);
}

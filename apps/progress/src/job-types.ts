/** The kinds of jobs that progress runs: each with its pipeline and what it does to its subjects. */
import type { Clock } from '@millrace/clock';
import type { ProgressSettings } from './config.ts';
import type { JobType } from './core/job-types.ts';

export interface JobTypesOptions {
  readonly settings: ProgressSettings;
  readonly clock: Clock;
}

/** Every kind of job. */
export function jobTypesOf(_options: JobTypesOptions): readonly JobType[] {
  return [];
}

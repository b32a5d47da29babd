/** How far a job is as a whole, and why it stopped if it did. */
import { Notice } from '../parts/notice.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import type { JobError, TaskProgress } from './job-resources.ts';
import { etaWords, isActive, progressWords } from './live-progress.ts';
import { adviceFor, stepWords } from './step-words.ts';

type Shown = Pick<TaskProgress, 'status' | 'progress' | 'phase' | 'eta_ms' | 'cancelling'>;

export function JobProgress({ job, label }: { readonly job: Shown; readonly label: string }) {
  if (!isActive(job.status)) return null;
  return (
    <div className="job-progress">
      <div className="job-progress-words">
        {/* The phase is worth a word; each percent is not. */}
        <span role="status">{progressWords(job)}</span>
        <span className="hint">{job.cancelling ? '' : etaWords(job.eta_ms)}</span>
        <span className="job-progress-percent">{Math.floor(job.progress)} %</span>
      </div>
      <ProgressBar value={job.progress} label={label} tone={job.cancelling ? 'quiet' : undefined} />
    </div>
  );
}

export function JobFailure({ error }: { readonly error: JobError | null }) {
  if (error === null) return null;
  const where = error.step === null ? '' : `${stepWords(error.step)}: `;
  const reason = `${where}${error.reason}`;
  return (
    <Notice tone="error">
      {reason}
      {/[.!?]$/.test(reason) ? '' : '.'} {adviceFor(error.code)}
    </Notice>
  );
}

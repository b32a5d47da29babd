/** The steps of a job with how far each is. */
import { CheckIcon, CrossIcon } from '../parts/icons.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import type { JobStep, StepStatus } from './job-resources.ts';
import { stepWords } from './step-words.ts';

const words: Readonly<Record<StepStatus, string>> = {
  pending: 'waits',
  processing: 'under way',
  completed: 'done',
  skipped: 'skipped',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function StepsList({ steps }: { readonly steps: readonly JobStep[] }) {
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li key={step.name} className={`step step-${step.status}`}>
          <span className="step-mark" aria-hidden="true">
            {step.status === 'completed' && <CheckIcon />}
            {(step.status === 'failed' || step.status === 'cancelled') && <CrossIcon />}
          </span>
          <span className="step-name">{stepWords(step.name)}</span>
          <span className="step-state" title={`${Math.round(step.weight)} % of the whole`}>
            {step.status === 'processing' ? `${Math.floor(step.progress)} %` : words[step.status]}
          </span>
          {step.status === 'processing' && (
            <ProgressBar value={step.progress} label={`${stepWords(step.name)}, progress`} />
          )}
          {step.reason !== null && <span className="step-reason hint">{step.reason}</span>}
        </li>
      ))}
    </ol>
  );
}

/** Which worker held which part of a job, folded away: for who wants to know why something took long. */
import { dateTime, seconds } from '../format/numbers.ts';
import type { JobAttempt } from './job-resources.ts';
import { stepWords } from './step-words.ts';

export function Attempts({ attempts }: { readonly attempts: readonly JobAttempt[] }) {
  if (attempts.length === 0) return null;
  const again = attempts.filter(({ outcome }) => outcome === 'failed' || outcome === 'lapsed').length;
  return (
    <details>
      <summary>
        Attempts ({attempts.length}
        {again === 0 ? '' : `, ${again} of them repeated`})
      </summary>
      <ul className="attempts">
        {attempts.map((one) => (
          <li key={`${one.task_id} ${one.fence}`} className="attempt">
            <span className="item-name">{stepWords(one.step)}</span>
            <span className="hint">
              {one.outcome} · {one.worker_id} ·{' '}
              <time dateTime={one.started_at} title={dateTime(one.started_at)}>
                {took(one)}
              </time>
              {one.reason === null ? '' : ` · ${one.reason}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function took({ started_at, ended_at }: JobAttempt): string {
  if (ended_at === null) return 'still at it';
  return seconds(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)) / 1000);
}

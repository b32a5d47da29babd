/** The newest run of a video: its steps, and starting, stopping and repeating it. */
import { useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import { Attempts } from '../jobs/attempts.tsx';
import { JobFailure, JobProgress } from '../jobs/job-progress.tsx';
import type { TaskProgress } from '../jobs/job-resources.ts';
import { isActive } from '../jobs/live-progress.ts';
import { StepsList } from '../jobs/steps-list.tsx';
import { useAction } from '../pages/use-call.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { useVideoCalls } from './use-videos.ts';
import type { Video } from './video-resources.ts';

interface RunCardProps {
  readonly video: Video;
  readonly task: TaskProgress;
  readonly mayChange: boolean;
  readonly onChanged: () => void;
}

export function RunCard({ video, task, mayChange, onChanged }: RunCardProps) {
  const never = task.task_id === null;
  const active = !never && isActive(task.status);
  const made = never && ['composition', 'image', 'recording'].includes(video.origin);
  const forgotten = never && !made && task.status !== 'pending';
  return (
    <section className="card stack" aria-labelledby="run-heading">
      <h2 id="run-heading">Processing</h2>
      {!never && <JobProgress job={task} label={`Processing of ${video.title}`} />}
      {!active && <JobFailure error={task.error} />}
      {task.status === 'cancelled' && (
        <Notice tone="plain">
          This run was cancelled{video.playback === null ? '' : '. What could be played before still can'}.
        </Notice>
      )}
      {made ? (
        <p className="hint">This video came finished and needs no processing.</p>
      ) : forgotten ? (
        <p className="hint">Its last run was so long ago that no more is known of it.</p>
      ) : (
        <StepsList steps={task.steps} />
      )}
      {mayChange && video.source_state === 'ready' && (
        <RunActions video={video} task={task} active={active} onChanged={onChanged} />
      )}
      <Attempts attempts={task.attempts} />
    </section>
  );
}

interface RunActionsProps extends Omit<RunCardProps, 'mayChange'> {
  readonly active: boolean;
}

type Steps = readonly string[] | undefined;

function RunActions({ video, task, active, onChanged }: RunActionsProps) {
  const calls = useVideoCalls();
  const { busy, error, run } = useAction();
  /** Something else was found running: what was asked for can be forced. */
  const [inTheWay, setInTheWay] = useState<{ readonly steps: Steps } | undefined>(undefined);
  const first = task.task_id === null && task.status === 'pending';
  const start = (steps: Steps, force: boolean) => {
    if (first) return calls.runFirst(video.video_id, force);
    return calls.reprocess(video.video_id, { force, ...(steps === undefined ? {} : { steps }) });
  };
  const ask = async (steps: Steps) => {
    setInTheWay(undefined);
    let conflict = false;
    const accepted = await run(async () => {
      const answer = await start(steps, false);
      conflict = !answer.ok && answer.error.kind === 'refused' && answer.error.taskId !== undefined;
      return answer;
    });
    if (conflict) setInTheWay({ steps });
    if (accepted !== undefined || conflict) onChanged();
  };
  const force = async (steps: Steps): Promise<ApiError | undefined> => {
    const answer = await start(steps, true);
    if (!answer.ok) return answer.error;
    setInTheWay(undefined);
    onChanged();
    return undefined;
  };
  const cancel = async () => {
    const { task_id: taskId } = task;
    if (taskId === null) return;
    await run(() => calls.cancelJob(taskId));
    onChanged();
  };
  return (
    <>
      {inTheWay === undefined && <ErrorNotice error={error} />}
      {inTheWay !== undefined && (
        <Notice tone="warning">
          Another run of this video began a moment ago. Wait for it, or stop it and start yours.
        </Notice>
      )}
      <div className="actions">
        {active ? (
          <>
            <button type="button" className="button" disabled={busy || task.cancelling} onClick={() => void cancel()}>
              {task.cancelling ? 'Cancelling…' : 'Cancel'}
            </button>
            <ForceButton onConfirm={() => force(inTheWay?.steps)} />
          </>
        ) : first ? (
          <button type="button" className="button button-primary" disabled={busy} onClick={() => void ask(undefined)}>
            Process
          </button>
        ) : (
          <>
            <button type="button" className="button" disabled={busy} onClick={() => void ask(undefined)}>
              Process again
            </button>
            {video.playback?.complete === true && (
              <button type="button" className="button" disabled={busy} onClick={() => void ask(['subtitles'])}>
                New subtitles only
              </button>
            )}
            {inTheWay !== undefined && <ForceButton onConfirm={() => force(inTheWay.steps)} />}
          </>
        )}
      </div>
    </>
  );
}

function ForceButton({ onConfirm }: { readonly onConfirm: () => Promise<ApiError | undefined> }) {
  return (
    <ConfirmButton
      label="Start over"
      className="button"
      heading="Stop this run and start over?"
      confirm="Stop and start over"
      dismiss="Leave it running"
      onConfirm={onConfirm}
    >
      <p>What this run has done so far is thrown away. The new one begins when the old one is really gone.</p>
    </ConfirmButton>
  );
}

/** One composition: how far it is, and what came of it. */
import '../styles/media.css';
import '../styles/compose.css';
import { useCallback, useEffect } from 'react';
import { byteSize, relativeTime, runningTime } from '../format/numbers.ts';
import { pollMs, useHubJob } from '../hub/hub-context.tsx';
import { JobFailure, JobProgress } from '../jobs/job-progress.tsx';
import { isActive, statusWords } from '../jobs/live-progress.ts';
import { StepsList } from '../jobs/steps-list.tsx';
import { useAction, useLoaded } from '../pages/use-call.ts';
import { Badge } from '../parts/badge.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { Link } from '../routing/router.tsx';
import { Screening } from '../videos/screening.tsx';
import { useVideoCalls } from '../videos/use-videos.ts';
import { formatTime } from './compose-draft.ts';
import { useCompositionCalls } from './composition-calls.ts';
import type { Composition } from './composition-resources.ts';
import { withCompositionJob } from './live-composition.ts';

const tones = { pending: 'plain', processing: 'plain', completed: 'good', failed: 'bad', cancelled: 'warn' } as const;

export function CompositionPage({ compositionId }: { readonly compositionId: string }) {
  const { composition, error, refresh } = useComposition(compositionId);
  if (composition === undefined) {
    return error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={error} />;
  }
  const { output, status } = composition;
  return (
    <>
      <div className="page-head">
        <h1>{composition.title}</h1>
        <Badge tone={tones[status]}>{statusWords[status]}</Badge>
        <span className="hint">Composed {relativeTime(composition.created_at, Date.now())}</span>
        <Link to={{ kind: 'compose' }} className="button">
          Another one
        </Link>
      </div>
      <ErrorNotice error={error} />
      <div className="columns">
        <div className="stack">
          {output !== null && <Output videoId={output.video_id} />}
          <Job composition={composition} onChanged={refresh} />
        </div>
        <div className="stack">
          {output !== null && <OutputCard output={output} />}
          <Inputs composition={composition} />
        </div>
      </div>
    </>
  );
}

function useComposition(compositionId: string) {
  const calls = useCompositionCalls();
  const first = useLoaded(useCallback((signal) => calls.get(compositionId, signal), [calls, compositionId]));
  const taskId = first.value?.task_id;
  const hub = useHubJob(taskId);
  const { refresh } = first;
  const active = first.value !== undefined && isActive(first.value.status);
  const everyMs = active ? (pollMs(hub.link) ?? 15_000) : undefined;
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(refresh, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, refresh]);
  const shape = `${hub.job?.status} ${hub.job?.steps?.map(({ status }) => status).join()}`;
  useEffect(() => {
    void shape; // the output and reasons come from the API alone
    refresh();
  }, [shape, refresh]);
  const composition = first.value && withCompositionJob(first.value, hub.link === 'live' ? hub.job : undefined);
  return { composition, error: first.error, refresh };
}

function Output({ videoId }: { readonly videoId: string }) {
  const calls = useVideoCalls();
  const video = useLoaded(useCallback((signal) => calls.get(videoId, signal), [calls, videoId]));
  if (video.value !== undefined) return <Screening video={video.value} />;
  return video.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={video.error} />;
}

interface JobProps {
  readonly composition: Composition;
  readonly onChanged: () => void;
}

function Job({ composition, onChanged }: JobProps) {
  const calls = useCompositionCalls();
  const { busy, error, run } = useAction();
  const active = isActive(composition.status);
  const cancel = async () => {
    await run(() => calls.cancel(composition.composition_id));
    onChanged();
  };
  return (
    <section className="card stack" aria-labelledby="join-heading">
      <h2 id="join-heading">Joining</h2>
      <JobProgress job={composition} label={`Joining of ${composition.title}`} />
      {!active && <JobFailure error={composition.error} />}
      {composition.status === 'cancelled' && (
        <Notice tone="plain">
          It was cancelled; nothing is left of it. The videos it was made of are as they were.
        </Notice>
      )}
      <StepsList steps={composition.steps} />
      <ErrorNotice error={error} />
      {active && (
        <div className="actions">
          <button
            type="button"
            className="button"
            disabled={busy || composition.cancelling}
            onClick={() => void cancel()}
          >
            {composition.cancelling ? 'Cancelling…' : 'Cancel'}
          </button>
        </div>
      )}
    </section>
  );
}

function OutputCard({ output }: { readonly output: NonNullable<Composition['output']> }) {
  const figures = [
    ['Duration', runningTime(output.duration_ms)],
    ['Size', byteSize(output.size_bytes)],
    ['Made by', output.method === 'copy' ? 'copying, no frame was encoded again' : 'encoding'],
  ] as const;
  return (
    <section className="card stack" aria-labelledby="output-heading">
      <h2 id="output-heading">What came of it</h2>
      <dl className="figures">
        {figures.map(([label, value]) => (
          <div key={label} className="figure">
            <dt className="figure-label">{label}</dt>
            <dd className="figure-value">{value}</dd>
          </div>
        ))}
      </dl>
      <p>
        It is a video like others: <Link to={{ kind: 'video', videoId: output.video_id }}>links and settings</Link>.
      </p>
    </section>
  );
}

function Inputs({ composition }: { readonly composition: Composition }) {
  return (
    <section className="card stack" aria-labelledby="inputs-heading">
      <h2 id="inputs-heading">Made of</h2>
      <ol className="inputs">
        {composition.videos.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the order is the identity, and never changes
          <li key={index}>
            <Input videoId={one.video_id} />
            {(one.start_ms !== null || one.end_ms !== null) && (
              <span className="hint">
                {' '}
                from {formatTime(one.start_ms ?? 0)} to {one.end_ms === null ? 'the end' : formatTime(one.end_ms)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** By its title once that is known; it may have been deleted since. */
function Input({ videoId }: { readonly videoId: string }) {
  const calls = useVideoCalls();
  const video = useLoaded(useCallback((signal) => calls.get(videoId, signal), [calls, videoId]));
  if (video.value === undefined) return <span>{video.error === undefined ? '…' : 'a video that was deleted'}</span>;
  return <Link to={{ kind: 'video', videoId }}>{video.value.title}</Link>;
}

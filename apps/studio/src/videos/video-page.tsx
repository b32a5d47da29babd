/** One video: what plays, what is being made of it, its links and settings. */
import '../styles/media.css';
import { useCallback, useEffect, useState } from 'react';
import { relativeTime } from '../format/numbers.ts';
import { pollMs, useHubChannel, useHubJob } from '../hub/hub-context.tsx';
import { isActive, withHubJob } from '../jobs/live-progress.ts';
import { useLoaded } from '../pages/use-call.ts';
import { Badge } from '../parts/badge.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { Link } from '../routing/router.tsx';
import { ImportProgress } from './import-progress.tsx';
import { comingOf } from './list-with-jobs.ts';
import { MediaCard } from './media-card.tsx';
import { RunCard } from './run-card.tsx';
import { Screening } from './screening.tsx';
import { useMayChange, useVideoCalls } from './use-videos.ts';
import { VideoLinksCard } from './video-links-card.tsx';
import type { Video } from './video-resources.ts';
import { VideoSettingsCard } from './video-settings-card.tsx';
import { originWords, videoBadge } from './video-words.ts';

export function VideoPage({ videoId }: { readonly videoId: string }) {
  const calls = useVideoCalls();
  const mayChange = useMayChange();
  const [waits, setWaits] = useState(false);
  const video = useLoaded(
    useCallback((signal) => calls.get(videoId, signal), [calls, videoId]),
    waits ? 3_000 : 15_000,
  );
  const importing = video.value?.source_state === 'importing';
  useEffect(() => setWaits(importing), [importing]);
  const run = useRun(videoId, video.value);
  const { refresh } = video;
  const moved = `${run.task?.task_id} ${run.task?.status} ${run.task?.steps.filter(({ status }) => status === 'completed').length}`;
  useEffect(() => {
    void moved; // a step that is done may have given a poster, facts, something to play
    refresh();
  }, [moved, refresh]);

  if (video.value === undefined) {
    return video.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={video.error} />;
  }
  const detail = video.value;
  const status = run.task === undefined || run.task.task_id === null ? detail.status : run.task.status;
  const badge = videoBadge(detail, status);
  const changed = () => {
    video.refresh();
    run.refresh();
  };
  return (
    <>
      <div className="page-head">
        <h1>{detail.title}</h1>
        <Badge tone={badge.tone}>{badge.words}</Badge>
        <span className="hint">
          {originWords[detail.origin]} {relativeTime(detail.created_at, Date.now())}
        </span>
      </div>
      <ErrorNotice error={video.error} />
      <SourceNotice video={detail} onOver={refresh} />
      <div className="columns">
        <div className="stack">
          <Screening video={detail} />
          {run.task !== undefined && (
            <RunCard video={detail} task={run.task} mayChange={mayChange} onChanged={changed} />
          )}
          {run.task === undefined && <ErrorNotice error={run.error} />}
          {detail.media !== null && <MediaCard media={detail.media} />}
        </div>
        <div className="stack">
          <VideoLinksCard video={detail} mayChange={mayChange} />
          {mayChange && <VideoSettingsCard video={detail} onChanged={changed} />}
        </div>
      </div>
    </>
  );
}

/** The newest run: from the API, moving by the hub. */
function useRun(videoId: string, video: Video | undefined) {
  const calls = useVideoCalls();
  const waits = video?.source_state === 'uploading' || video?.source_state === 'importing';
  const known = video?.current_task_id ?? undefined;
  const hub = useHubJob(known);
  const everyMs = waits ? 3_000 : known === undefined ? 15_000 : (pollMs(hub.link) ?? 15_000);
  const told = useLoaded(
    useCallback((signal) => calls.progress(videoId, signal), [calls, videoId]),
    everyMs,
  );
  const { refresh } = told;
  const shape = `${known} ${hub.job?.status} ${hub.job?.steps?.map(({ status }) => status).join()}`;
  useEffect(() => {
    void shape; // reasons and attempts, which the hub does not tell
    refresh();
  }, [shape, refresh]);
  const task = told.value && withHubJob(told.value, hub.link === 'live' ? hub.job : undefined);
  return { task, error: told.error, refresh };
}

/** The original on its way from its address, moving by the hub. `onOver`: it has ended, the video is to be read again. */
function ImportNotice({ video, onOver }: { readonly video: Video; readonly onOver: () => void }) {
  const hub = useHubChannel('jobs');
  const { coming, over } = comingOf(video, hub.link === 'live' ? hub.view?.jobs : undefined);
  useEffect(() => {
    if (over) onOver();
  }, [over, onOver]);
  return (
    <Notice tone="plain">
      The file is being fetched. Processing begins when it is here.
      {coming !== undefined && <ImportProgress coming={coming} title={video.title} />}
    </Notice>
  );
}

function SourceNotice({ video, onOver }: { readonly video: Video; readonly onOver: () => void }) {
  const { source_state: state, error } = video;
  if (state === 'uploading') {
    return (
      <Notice tone="warning">
        The file is not here yet. Uploads go on while the tab is open that began them; in another visit, choose the same
        file on the <Link to={{ kind: 'videos', view: {} }}>videos page</Link> to go on.
      </Notice>
    );
  }
  if (state === 'importing') {
    return <ImportNotice video={video} onOver={onOver} />;
  }
  if (state === 'failed' && !isActive(video.status)) {
    return (
      <Notice tone="error">
        The original did not come{error === null ? '' : `: ${error.reason}`}. Upload the file, or check the address and
        import it again; then delete this video.
      </Notice>
    );
  }
  return null;
}

/** A video in the list. */
import { relativeTime, runningTime } from '../format/numbers.ts';
import { etaWords, isActive, progressWords } from '../jobs/live-progress.ts';
import { Badge } from '../parts/badge.tsx';
import { Poster } from '../parts/poster.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Link } from '../routing/router.tsx';
import { ImportProgress } from './import-progress.tsx';
import type { ListedVideo } from './list-with-jobs.ts';
import { originWords, videoBadge } from './video-words.ts';

export function VideoCard({ listed }: { readonly listed: ListedVideo }) {
  const { video, status, progress, phase, etaMs, coming } = listed;
  const { media, visibility } = video;
  const badge = videoBadge(video, status);
  const running = isActive(status) && (status === 'processing' || video.current_task_id !== null);
  return (
    <Link to={{ kind: 'video', videoId: video.video_id }} className="video-card">
      <Poster
        url={video.playback?.poster_url}
        locked={visibility === 'private'}
        corner={media === null ? undefined : runningTime(media.duration_ms)}
      />
      <span className="video-card-title">{video.title}</span>
      <span className="video-card-facts">
        {visibility === 'private' ? 'Private' : 'Public'} · {originWords[video.origin].toLowerCase()}{' '}
        {relativeTime(video.created_at, Date.now())}
      </span>
      {coming !== undefined ? (
        <ImportProgress coming={coming} title={video.title} />
      ) : running ? (
        <span className="video-card-progress">
          <ProgressBar value={progress} label={`Processing of ${video.title}`} />
          <span className="hint">
            {[
              progressWords({ status, progress, phase, eta_ms: etaMs, cancelling: false }),
              `${Math.floor(progress)} %`,
              etaWords(etaMs),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </span>
      ) : (
        <span className="video-card-state">
          <Badge tone={badge.tone}>{badge.words}</Badge>
          {status === 'failed' && video.error !== null && <span className="hint">{video.error.reason}</span>}
        </span>
      )}
    </Link>
  );
}

/** All videos of the owner, moving by the hub; where new ones come in. */
import '../styles/media.css';
import { useCallback, useEffect, useRef, useState } from 'react';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { statusWords } from '../jobs/live-progress.ts';
import { useLoaded } from '../pages/use-call.ts';
import { MoreButton, useMore } from '../pages/use-more.tsx';
import { ListFilters } from '../parts/list-filters.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { jobStatuses, type VideosView } from '../routing/media-view.ts';
import { Link, navigate } from '../routing/router.tsx';
import { useUploads } from '../uploads/uploads-context.tsx';
import { AddVideos } from './add-videos.tsx';
import { listedVideo } from './list-with-jobs.ts';
import { useMayChange, useVideoCalls } from './use-videos.ts';
import { VideoCard } from './video-card.tsx';

export function VideosPage({ view }: { readonly view: VideosView }) {
  const mayChange = useMayChange();
  const [none, setNone] = useState(false);
  const filtered = view.status !== undefined || view.title !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>Videos</h1>
      </div>
      {mayChange && <AddVideos first={none && !filtered} />}
      {(!none || filtered) && <VideoFilters view={view} />}
      <VideoList key={JSON.stringify(view)} view={view} onNone={setNone} />
    </>
  );
}

function VideoFilters({ view }: { readonly view: VideosView }) {
  const go = (next: VideosView) => navigate({ kind: 'videos', view: next }, { replace: true });
  const { status: _status, ...withoutStatus } = view;
  const { title: _title, ...withoutTitle } = view;
  return (
    <ListFilters
      searchLabel="Search by title"
      text={view.title ?? ''}
      onText={(title) => go(title === '' ? withoutTitle : { ...withoutTitle, title })}
      statusLabel="Status"
      allLabel="All states"
      statuses={jobStatuses}
      words={statusWords}
      status={view.status}
      onStatus={(status) => go(status === undefined ? withoutStatus : { ...withoutStatus, status })}
    />
  );
}

interface VideoListProps {
  readonly view: VideosView;
  /** Told whether the owner has no such video at all. */
  readonly onNone: (none: boolean) => void;
}

function VideoList({ view, onNone }: VideoListProps) {
  const calls = useVideoCalls();
  const hub = useHubChannel('jobs');
  const [importing, setImporting] = useState(false);
  const first = useLoaded(
    useCallback((signal) => calls.list(view, undefined, signal), [calls, view]),
    importing ? 3_000 : pollMs(hub.link),
  );
  const { refresh } = first;
  const more = useMore(
    first.value,
    ({ video_id }) => video_id,
    (cursor) => calls.list(view, cursor),
  );
  const videos = more.items;
  const listed = videos.map((video) => listedVideo(video, hub.link === 'live' ? hub.view?.jobs : undefined));
  useRefresh(
    listed.filter((one) => one.stale).map((one) => `${one.video.video_id} ${one.status}`),
    refresh,
  );
  useUploadsSeen(refresh);
  const waits = videos.some((video) => video.source_state === 'importing');
  useEffect(() => setImporting(waits), [waits]);
  const none = first.value !== undefined && videos.length === 0;
  useEffect(() => onNone(none), [none, onNone]);

  return (
    <section aria-label="Videos">
      <ErrorNotice error={first.error ?? more.error} />
      {first.value === undefined && first.error === undefined && <p role="status">Loading…</p>}
      {none && <NoVideos view={view} />}
      <ul className="media-grid">
        {listed.map((one) => (
          <li key={one.video.video_id}>
            <VideoCard listed={one} />
          </li>
        ))}
      </ul>
      {videos.length > 0 && <MoreButton more={more} />}
    </section>
  );
}

/** Asks again once for each new reason to. */
function useRefresh(reasons: readonly string[], refresh: () => void): void {
  const all = reasons.join(', ');
  useEffect(() => {
    if (all !== '') refresh();
  }, [all, refresh]);
}

/** A new upload's video is listed when it begins, again when its file is there, and no more when it is cancelled. */
function useUploadsSeen(refresh: () => void): void {
  const { uploads, items } = useUploads();
  const seen = `${uploads.removed} ${items.map((item) => `${item.videoId} ${item.state.kind === 'done'}`).join()}`;
  const before = useRef(seen);
  useEffect(() => {
    if (before.current === seen) return;
    before.current = seen;
    refresh();
  }, [seen, refresh]);
}

function NoVideos({ view }: { readonly view: VideosView }) {
  const mayChange = useMayChange();
  const filtered = view.status !== undefined || view.title !== undefined;
  if (!filtered) {
    return mayChange ? null : (
      <section className="empty">
        <h2>No videos yet</h2>
        <p>Videos appear here when a broadcaster uploads them.</p>
      </section>
    );
  }
  return (
    <section className="empty">
      <h2>Nothing matches</h2>
      <p>No video has this status and title.</p>
      <Link to={{ kind: 'videos', view: {} }} className="button">
        Show all videos
      </Link>
    </section>
  );
}

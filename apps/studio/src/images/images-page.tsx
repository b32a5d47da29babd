/** All images of the owner, and what became of their videos. */
import '../styles/media.css';
import '../styles/images.css';
import { useCallback, useEffect, useId, useRef, useState } from 'react';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { etaWords, progressWords } from '../jobs/live-progress.ts';
import { useAction, useLoaded } from '../pages/use-call.ts';
import { Badge } from '../parts/badge.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { type ImagesView, imageVideoStatuses } from '../routing/media-view.ts';
import { Link, navigate } from '../routing/router.tsx';
import { useMayChange } from '../videos/use-videos.ts';
import { AddImages } from './add-images.tsx';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';
import { imageStatusWords, type LiveImage, liveImage } from './live-image.ts';
import { Thumbnail } from './picture.tsx';

export function ImagesPage({ view }: { readonly view: ImagesView }) {
  const mayChange = useMayChange();
  const [none, setNone] = useState(false);
  const refresh = useRef<() => void>(() => undefined);
  const filtered = view.status !== undefined || view.name !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>Images</h1>
      </div>
      {mayChange && <AddImages first={none && !filtered} onAdded={() => refresh.current()} />}
      {(!none || filtered) && <ImageFilters view={view} />}
      <ImageList
        key={JSON.stringify(view)}
        view={view}
        onNone={setNone}
        onReady={(again) => {
          refresh.current = again;
        }}
      />
    </>
  );
}

function ImageFilters({ view }: { readonly view: ImagesView }) {
  const id = useId();
  const go = (next: ImagesView) => navigate({ kind: 'images', view: next }, { replace: true });
  const { status: _status, ...withoutStatus } = view;
  const { name: _name, ...withoutName } = view;
  return (
    <div className="media-filters" role="search">
      <SearchField
        label="Name begins with"
        value={view.name ?? ''}
        onSearch={(name) => go(name === '' ? withoutName : { ...withoutName, name })}
      />
      <label htmlFor={id} className="visually-hidden">
        Video
      </label>
      <select
        id={id}
        value={view.status ?? ''}
        onChange={(event) => {
          const status = imageVideoStatuses.find((one) => one === event.target.value);
          go(status === undefined ? withoutStatus : { ...withoutStatus, status });
        }}
      >
        <option value="">All images</option>
        {imageVideoStatuses.map((status) => (
          <option key={status} value={status}>
            {imageStatusWords[status]}
          </option>
        ))}
      </select>
    </div>
  );
}

interface ImageListProps {
  readonly view: ImagesView;
  readonly onNone: (none: boolean) => void;
  /** Gets what asks again. */
  readonly onReady: (refresh: () => void) => void;
}

function ImageList({ view, onNone, onReady }: ImageListProps) {
  const calls = useImageCalls();
  const hub = useHubChannel('jobs');
  const first = useLoaded(
    useCallback((signal) => calls.list(view, undefined, signal), [calls, view]),
    pollMs(hub.link),
  );
  const [more, setMore] = useState<{ readonly items: readonly Image[]; readonly next: string | null } | undefined>();
  const { busy, error, run } = useAction();
  const { refresh } = first;
  useEffect(() => onReady(refresh), [onReady, refresh]);
  const known = new Set(first.value?.items.map((image) => image.img_name));
  const images = [...(first.value?.items ?? []), ...(more?.items ?? []).filter((one) => !known.has(one.img_name))];
  const jobs = hub.link === 'live' ? hub.view?.jobs : undefined;
  const shown = images.map((image) => liveImage(image, jobs));
  const stale = shown
    .filter((one) => one.stale)
    .map((one) => `${one.image.img_name} ${one.status} ${one.image.task_id}`);
  const staleness = stale.join();
  useEffect(() => {
    if (staleness === '') return;
    refresh();
    // The status is written with the job's end, but the hub may be quicker than the answer that was under way.
    const timer = setInterval(refresh, 2_000);
    return () => clearInterval(timer);
  }, [staleness, refresh]);
  const none = first.value !== undefined && images.length === 0;
  useEffect(() => onNone(none), [none, onNone]);
  const next = more === undefined ? (first.value?.next_cursor ?? null) : more.next;
  const loadMore = async () => {
    if (next === null) return;
    const page = await run(() => calls.list(view, next));
    if (page) setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next_cursor });
  };
  const filtered = view.status !== undefined || view.name !== undefined;
  return (
    <section aria-label="Images">
      <ErrorNotice error={first.error ?? error} />
      {first.value === undefined && first.error === undefined && <p role="status">Loading…</p>}
      {none && filtered && (
        <section className="empty">
          <h2>Nothing matches</h2>
          <p>No image has such a name and status.</p>
          <Link to={{ kind: 'images', view: {} }} className="button">
            Show all images
          </Link>
        </section>
      )}
      <ul className="media-grid">
        {shown.map((one) => (
          <li key={one.image.img_name}>
            <ImageCard live={one} />
          </li>
        ))}
      </ul>
      {next !== null && images.length > 0 && (
        <button type="button" className="button" disabled={busy} onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </section>
  );
}

function ImageCard({ live }: { readonly live: LiveImage }) {
  const { image, status, progress, phase, etaMs } = live;
  const { width, height } = image;
  const active = status === 'pending' || status === 'processing';
  return (
    <Link to={{ kind: 'image', name: image.img_name }} className="video-card">
      <Thumbnail image={image} />
      <span className="video-card-title">{image.img_name}</span>
      <span className="video-card-facts">
        {width !== null && height !== null ? `${width} × ${height}` : 'no picture yet'} · {image.source_type}
      </span>
      {active ? (
        <span className="video-card-progress">
          <ProgressBar value={progress} label={`Video of ${image.img_name}`} />
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
          <ImageBadges image={image} />
          {image.error !== null && <span className="hint">{image.error}</span>}
        </span>
      )}
    </Link>
  );
}

/** Whether there is a video, and what became of the last attempt if that is something else. */
export function ImageBadges({ image }: { readonly image: Image }) {
  const { has_video: hasVideo, video_status: status } = image;
  return (
    <span className="badges">
      {hasVideo && <Badge tone="good">{imageStatusWords.completed}</Badge>}
      {status === 'failed' && <Badge tone="bad">{hasVideo ? 'Last attempt failed' : imageStatusWords.failed}</Badge>}
      {!hasVideo && status !== 'failed' && <Badge tone="plain">{imageStatusWords.none}</Badge>}
    </span>
  );
}

/** All images of the owner, and what became of their videos. */
import '../styles/media.css';
import '../styles/images.css';
import { useCallback, useEffect, useRef, useState } from 'react';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { etaWords, progressWords } from '../jobs/live-progress.ts';
import { useLoaded } from '../pages/use-call.ts';
import { MoreButton, useMore } from '../pages/use-more.tsx';
import { Badge } from '../parts/badge.tsx';
import { ListFilters } from '../parts/list-filters.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { type ImagesView, imageVideoStatuses } from '../routing/media-view.ts';
import { Link, navigate } from '../routing/router.tsx';
import { useMayChange } from '../videos/use-videos.ts';
import { AddImages } from './add-images.tsx';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';
import { imageStatusWords, type LiveImage, liveImage, picturesCome, pictureWords } from './live-image.ts';
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
  const go = (next: ImagesView) => navigate({ kind: 'images', view: next }, { replace: true });
  const { status: _status, ...withoutStatus } = view;
  const { name: _name, ...withoutName } = view;
  return (
    <ListFilters
      searchLabel="Name begins with"
      text={view.name ?? ''}
      onText={(name) => go(name === '' ? withoutName : { ...withoutName, name })}
      statusLabel="Video"
      allLabel="All images"
      statuses={imageVideoStatuses}
      words={imageStatusWords}
      status={view.status}
      onStatus={(status) => go(status === undefined ? withoutStatus : { ...withoutStatus, status })}
    />
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
  const [coming, setComing] = useState(false);
  const first = useLoaded(
    useCallback((signal) => calls.list(view, undefined, signal), [calls, view]),
    coming ? 2_000 : pollMs(hub.link),
  );
  const { refresh } = first;
  useEffect(() => onReady(refresh), [onReady, refresh]);
  const more = useMore(
    first.value,
    ({ img_name }) => img_name,
    (cursor) => calls.list(view, cursor),
  );
  const images = more.items;
  // the hub tells of videos only
  const comes = images.some((image) => picturesCome(image, Date.now()));
  useEffect(() => setComing(comes), [comes]);
  const jobs = hub.link === 'live' ? hub.view?.jobs : undefined;
  const shown = images.map((image) => liveImage(image, jobs));
  const firstNames = new Set(first.value?.items.map((image) => image.img_name));
  useLate(shown, firstNames, refresh, more.put);
  const none = first.value !== undefined && images.length === 0;
  useEffect(() => onNone(none), [none, onNone]);
  const filtered = view.status !== undefined || view.name !== undefined;
  return (
    <section aria-label="Images">
      <ErrorNotice error={first.error ?? more.error} />
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
      {images.length > 0 && <MoreButton more={more} />}
    </section>
  );
}

/** So many of later pages are asked for in one round. */
const mostAsked = 12;

/**
 * Asks again for what the list does not know yet, every 2 s until it does: the status is written with the job's end, but the hub may be
 * quicker than the answer that was under way; and of pictures it tells nothing. The first page is asked for as a whole, what is behind
 * it one by one.
 */
function useLate(
  shown: readonly LiveImage[],
  onFirst: ReadonlySet<string>,
  refresh: () => void,
  put: (name: string, image: Image | undefined) => void,
): void {
  const calls = useImageCalls();
  const behind = ({ image }: LiveImage) => !onFirst.has(image.img_name);
  const stale = shown.filter((one) => one.stale);
  const coming = shown.filter((one) => behind(one) && !one.stale && picturesCome(one.image, Date.now()));
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    ask.current = () => {
      if (!stale.every(behind)) refresh();
      for (const { image } of [...stale.filter(behind), ...coming].slice(0, mostAsked)) {
        void calls.get(image.img_name).then((answer) => {
          if (answer.ok) put(image.img_name, answer.value);
          else if (answer.error.kind === 'refused' && answer.error.status === 404) put(image.img_name, undefined);
        });
      }
    };
  });
  const news = stale.map(({ image, status }) => `${image.img_name} ${status} ${image.task_id}`).join();
  const nothing = stale.length === 0 && coming.length === 0;
  useEffect(() => {
    if (nothing) return;
    if (news !== '') ask.current();
    const timer = setInterval(() => ask.current(), 2_000);
    return () => clearInterval(timer);
  }, [news, nothing]);
}

function ImageCard({ live }: { readonly live: LiveImage }) {
  const { image, status, progress, phase, etaMs } = live;
  const { width, height } = image;
  const active = status === 'pending' || status === 'processing';
  return (
    <Link to={{ kind: 'image', name: image.img_name }} className="video-card">
      <Thumbnail image={image} />
      <span className="video-card-title image-card-name">{image.img_name}</span>
      <span className="video-card-facts">
        {width !== null && height !== null ? `${width} × ${height}` : pictureWords[image.picture_state]} ·{' '}
        {image.source_type}
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
          {image.picture_error !== null && <span className="hint">{image.picture_error}</span>}
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

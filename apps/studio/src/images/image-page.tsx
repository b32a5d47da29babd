/** One image: its picture, the video that is made of it, and what to ask for. */
import '../styles/media.css';
import '../styles/images.css';
import { useCallback, useEffect, useState } from 'react';
import { byteSize, dateTime, relativeTime } from '../format/numbers.ts';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { JobProgress } from '../jobs/job-progress.tsx';
import { useLoaded } from '../pages/use-call.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { Link, navigate } from '../routing/router.tsx';
import { Screening } from '../videos/screening.tsx';
import { useMayChange, useVideoCalls } from '../videos/use-videos.ts';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';
import { ImageBadges } from './images-page.tsx';
import { imageStatusWords, liveImage } from './live-image.ts';
import { MakeVideoCard } from './make-video-card.tsx';
import { usePicture } from './picture.tsx';
import { type Motion, usualWish } from './video-wish.ts';

export function ImagePage({ name }: { readonly name: string }) {
  const calls = useImageCalls();
  const mayChange = useMayChange();
  const hub = useHubChannel('jobs');
  const [comes, setComes] = useState(false);
  const [motion, setMotion] = useState<Motion>(usualWish.motion);
  const told = useLoaded(
    useCallback((signal) => calls.get(name, signal), [calls, name]),
    comes ? 1_500 : (pollMs(hub.link) ?? 10_000),
  );
  const { refresh } = told;
  const waits = told.value?.picture_state === 'importing';
  useEffect(() => setComes(waits), [waits]);
  const live = told.value && liveImage(told.value, hub.link === 'live' ? hub.view?.jobs : undefined);
  const stale = live?.stale === true ? `${live.status} ${live.image.task_id}` : '';
  useEffect(() => {
    if (stale === '') return;
    refresh();
    const timer = setInterval(refresh, 1_000);
    return () => clearInterval(timer);
  }, [stale, refresh]);
  if (live === undefined) {
    return told.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={told.error} />;
  }
  const { image, status, progress, phase, etaMs } = live;
  const active = status === 'pending' || status === 'processing';
  return (
    <>
      <div className="page-head">
        <h1>{image.img_name}</h1>
        <ImageBadges image={image} />
        <span className="hint">added {relativeTime(image.created_at, Date.now())}</span>
      </div>
      <ErrorNotice error={told.error} />
      <div className="columns">
        <div className="stack">
          {active && (
            <section className="card" aria-label="Video in the making">
              <JobProgress
                job={{ status, progress, phase, eta_ms: etaMs, cancelling: false }}
                label={`Video of ${image.img_name}`}
              />
            </section>
          )}
          {!active && image.error !== null && <Notice tone="error">The video was not made: {image.error}</Notice>}
          {image.video_id !== null && image.has_video && <Result key={image.updated_at} videoId={image.video_id} />}
          <PictureBox image={image} motion={motion} />
          <History key={`${image.updated_at} ${image.video_status}`} image={image} />
        </div>
        <div className="stack">
          {mayChange && <MakeVideoCard image={image} active={active} onMotion={setMotion} onChanged={refresh} />}
          {mayChange && <DeleteCard image={image} />}
        </div>
      </div>
    </>
  );
}

function Result({ videoId }: { readonly videoId: string }) {
  const calls = useVideoCalls();
  const video = useLoaded(useCallback((signal) => calls.get(videoId, signal), [calls, videoId]));
  if (video.value === undefined) {
    return video.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={video.error} />;
  }
  return (
    <div className="stack">
      <Screening video={video.value} />
      <p>
        It is a video like others: <Link to={{ kind: 'video', videoId }}>links and settings</Link>.
      </p>
    </div>
  );
}

/** The picture, moving as the chosen motion would move it. */
function PictureBox({ image, motion }: { readonly image: Image; readonly motion: Motion }) {
  const picture = usePicture(image.image_url);
  const { width, height, size_bytes: size } = image;
  if (image.picture_state === 'importing') {
    return (
      <Notice tone="plain">The picture is being fetched from its address. It appears here when it has come.</Notice>
    );
  }
  if (image.picture_state === 'failed') {
    return (
      <Notice tone="error">
        The picture did not come: {image.picture_error}. Upload one under this name on the{' '}
        <Link to={{ kind: 'images', view: {} }}>images page</Link>, or register the name again with another address.
      </Notice>
    );
  }
  if (image.image_url === null) {
    return (
      <Notice tone="plain">
        There is no picture yet: upload one under this name on the{' '}
        <Link to={{ kind: 'images', view: {} }}>images page</Link>, or let a generator make the video from words.
      </Notice>
    );
  }
  return (
    <figure className="picture-box">
      <div className="picture-frame">
        {picture !== undefined && (
          <img key={motion} className={`motion motion-${motion}`} src={picture} alt={image.img_name} />
        )}
      </div>
      <figcaption className="hint">
        The motion, roughly. {width} × {height}
        {size === null ? '' : `, ${byteSize(size)}`}
      </figcaption>
    </figure>
  );
}

function History({ image }: { readonly image: Image }) {
  const calls = useImageCalls();
  const [open, setOpen] = useState(false);
  const name = image.img_name;
  const history = useLoaded(
    useCallback((signal) => calls.history(name, signal), [calls, name]),
    undefined,
  );
  const items = history.value?.items ?? [];
  if (items.length === 0) return <ErrorNotice error={open ? history.error : undefined} />;
  return (
    <details className="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What happened ({items.length})</summary>
      <ul className="attempts">
        {items.map((one) => (
          <li key={`${one.at} ${one.to}`} className="attempt">
            <span className="item-name">{imageStatusWords[one.to]}</span>
            <span className="hint">
              <time dateTime={one.at}>{dateTime(one.at)}</time>
              {one.reason === null ? '' : ` · ${one.reason}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function DeleteCard({ image }: { readonly image: Image }) {
  const calls = useImageCalls();
  const remove = async () => {
    const answer = await calls.remove(image.img_name);
    if (!answer.ok) return answer.error;
    navigate({ kind: 'images', view: {} }, { replace: true });
    return undefined;
  };
  return (
    <div>
      <ConfirmButton
        label="Delete image"
        heading={`Delete “${image.img_name}”?`}
        confirm="Delete image"
        onConfirm={remove}
      >
        <p>
          The picture and its history are gone at once, and a running job is stopped.
          {image.has_video ? ' The video that was made of it stays.' : ''} This cannot be undone.
        </p>
      </ConfirmButton>
    </div>
  );
}

/** The finished videos, to be picked by pressing them. */
import { useCallback, useState } from 'react';
import { runningTime } from '../format/numbers.ts';
import { useLoaded } from '../pages/use-call.ts';
import { MoreButton, useMore } from '../pages/use-more.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Poster } from '../parts/poster.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { Link } from '../routing/router.tsx';
import { useVideoCalls } from '../videos/use-videos.ts';
import type { Video } from '../videos/video-resources.ts';

interface VideoPickerProps {
  readonly onPick: (video: Video) => void;
  /** How often each video has been picked. */
  readonly picked: ReadonlyMap<string, number>;
}

export function VideoPicker({ onPick, picked }: VideoPickerProps) {
  const [title, setTitle] = useState('');
  return (
    <section className="card stack" aria-labelledby="picker-heading">
      <h2 id="picker-heading">Your videos</h2>
      <SearchField label="Search by title" value={title} onSearch={setTitle} />
      <Choices key={title} title={title} onPick={onPick} picked={picked} />
    </section>
  );
}

function Choices({ title, onPick, picked }: VideoPickerProps & { readonly title: string }) {
  const calls = useVideoCalls();
  const ask = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      calls.list({ status: 'completed', limit: 24, ...(title === '' ? {} : { title }) }, cursor, signal),
    [calls, title],
  );
  const first = useLoaded(useCallback((signal) => ask(undefined, signal), [ask]));
  const more = useMore(
    first.value,
    ({ video_id }) => video_id,
    (cursor) => ask(cursor),
  );
  const all = more.items;
  // What has no picture cannot be joined.
  const videos = all.filter((video) => (video.media?.video ?? null) !== null);
  return (
    <>
      <ErrorNotice error={first.error ?? more.error} />
      {first.value !== undefined && videos.length === 0 && (
        <p className="hint">
          {title === '' ? (
            <>
              Only videos that are ready can be joined. <Link to={{ kind: 'videos', view: {} }}>Upload some</Link>.
            </>
          ) : (
            'No finished video has this title.'
          )}
        </p>
      )}
      <ul className="picker">
        {videos.map((video) => {
          const times = picked.get(video.video_id) ?? 0;
          return (
            <li key={video.video_id}>
              <button
                type="button"
                className="picker-choice"
                onClick={() => onPick(video)}
                aria-label={`Add ${video.title}${times === 0 ? '' : `, picked ${times} times`}`}
              >
                <Poster
                  url={video.playback?.poster_url}
                  locked={video.visibility === 'private'}
                  corner={runningTime(video.media?.duration_ms ?? 0)}
                />
                <span className="picker-title">{video.title}</span>
                {times > 0 && (
                  <span className="picker-times" aria-hidden="true">
                    {times}
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
      <MoreButton more={more} />
    </>
  );
}

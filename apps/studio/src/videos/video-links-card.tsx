/** Where a video can be watched, to copy. */
import { useState } from 'react';
import { languageName } from '../format/language-name.ts';
import { dateTime } from '../format/numbers.ts';
import { useAction } from '../pages/use-call.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { ExternalIcon } from '../parts/icons.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { hrefOf } from '../routing/routes.ts';
import { useVideoCalls } from './use-videos.ts';
import type { Video, VideoToken } from './video-resources.ts';

interface VideoLinksCardProps {
  readonly video: Video;
  readonly mayChange: boolean;
}

export function VideoLinksCard({ video, mayChange }: VideoLinksCardProps) {
  return (
    <section className="card stack" aria-labelledby="links-heading">
      <h2 id="links-heading">Watch links</h2>
      {video.playback === null ? (
        <p className="hint">Links appear here as soon as there is something to play.</p>
      ) : video.visibility === 'public' ? (
        <PublicLinks video={video} playback={video.playback} />
      ) : mayChange ? (
        <PrivateLinks video={video} />
      ) : (
        <p className="hint">This video is private. A broadcaster can create links to it.</p>
      )}
    </section>
  );
}

/** On the origin that the API gives, which need not be the one that this page was opened under. */
function watchUrl({ playback_id: playbackId }: Video, hlsUrl: string, token?: string): string {
  const path = hrefOf({ kind: 'watch-video', playbackId, ...(token === undefined ? {} : { token }) });
  return new URL(path, hlsUrl).href;
}

interface PublicLinksProps {
  readonly video: Video;
  readonly playback: NonNullable<Video['playback']>;
}

function PublicLinks({ video, playback }: PublicLinksProps) {
  const page = watchUrl(video, playback.hls_url);
  return (
    <>
      <CopyField label="Watch page" value={page} />
      <CopyField label="HLS playlist" value={playback.hls_url} />
      {playback.dash_url !== null && <CopyField label="DASH presentation" value={playback.dash_url} />}
      {playback.file_url !== null && <CopyField label="MP4 file" value={playback.file_url} />}
      {playback.subtitles.map(({ language, url }) => (
        <CopyField key={language} label={`Subtitles, ${languageName(language)} (WebVTT)`} value={url} />
      ))}
      {!playback.complete && <p className="hint">Only the first rendition is there yet; the links stay the same.</p>}
      <OpenLink url={page} />
    </>
  );
}

const lifetimes = [
  { seconds: 3_600, label: '1 hour' },
  { seconds: 43_200, label: '12 hours' },
  { seconds: 604_800, label: '7 days' },
  { seconds: 2_592_000, label: '30 days' },
] as const;

function PrivateLinks({ video }: { readonly video: Video }) {
  const calls = useVideoCalls();
  const { busy, error, run } = useAction();
  const [lifetimeS, setLifetimeS] = useState<number>(43_200);
  const [link, setLink] = useState<VideoToken | undefined>(undefined);
  const create = async () => {
    const token = await run(() => calls.createToken(video.video_id, lifetimeS));
    if (token) setLink(token);
  };
  const page = link && watchUrl(video, link.hls_url, link.token);
  return (
    <>
      <p className="hint">This video is private: each link that you create works until it expires.</p>
      <div className="inline-form">
        <div className="field">
          <label htmlFor="link-lifetime">Valid for</label>
          <select id="link-lifetime" value={lifetimeS} onChange={(event) => setLifetimeS(Number(event.target.value))}>
            {lifetimes.map((lifetime) => (
              <option key={lifetime.seconds} value={lifetime.seconds}>
                {lifetime.label}
              </option>
            ))}
          </select>
        </div>
        <button type="button" className="button" disabled={busy} onClick={() => void create()}>
          Create link
        </button>
      </div>
      <ErrorNotice error={error} />
      {link !== undefined && page !== undefined && (
        <>
          <CopyField label={`Watch page, until ${dateTime(link.expires_at)}`} value={page} />
          <CopyField label="HLS playlist" value={link.hls_url} />
          {(video.playback?.file_url ?? null) !== null && <CopyField label="MP4 file" value={link.file_url} />}
          <OpenLink url={page} />
        </>
      )}
    </>
  );
}

function OpenLink({ url }: { readonly url: string }) {
  return (
    <a className="text-link" href={url} target="_blank" rel="noreferrer">
      Open the watch page <ExternalIcon />
    </a>
  );
}

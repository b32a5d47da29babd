/** Where a video can be watched, to copy. */
import { languageName } from '../format/language-name.ts';
import { dateTime } from '../format/numbers.ts';
import { OpenLink, TimedLink } from '../pages/timed-link.tsx';
import { CopyField } from '../parts/copy-field.tsx';
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

function PrivateLinks({ video }: { readonly video: Video }) {
  const calls = useVideoCalls();
  const show = (link: VideoToken) => {
    const page = watchUrl(video, link.hls_url, link.token);
    return (
      <>
        <CopyField label={`Watch page, until ${dateTime(link.expires_at)}`} value={page} />
        <CopyField label="HLS playlist" value={link.hls_url} />
        {(video.playback?.file_url ?? null) !== null && <CopyField label="MP4 file" value={link.file_url} />}
        <OpenLink url={page} />
      </>
    );
  };
  return <TimedLink what="video" create={(lifetimeS) => calls.createToken(video.video_id, lifetimeS)} show={show} />;
}

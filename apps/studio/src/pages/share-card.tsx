/** Links for viewers. */
import type { PlaybackToken, StreamDetail } from '../api/resources.ts';
import { dateTime } from '../format/numbers.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { useStudio } from '../session/context.tsx';
import { OpenLink, TimedLink } from './timed-link.tsx';

interface ShareCardProps {
  readonly stream: StreamDetail;
  readonly mayChange: boolean;
}

export function ShareCard({ stream, mayChange }: ShareCardProps) {
  return (
    <section className="card stack" aria-labelledby="share-heading">
      <h2 id="share-heading">Watch links</h2>
      {stream.visibility === 'public' ? (
        <>
          <CopyField label="Watch page" value={stream.playback.watch_url} />
          {stream.playback.hls_url !== null && <CopyField label="HLS playlist" value={stream.playback.hls_url} />}
          <OpenLink url={stream.playback.watch_url} />
        </>
      ) : mayChange ? (
        <PrivateLinks stream={stream} />
      ) : (
        <p className="hint">This stream is private. A broadcaster can create links to it.</p>
      )}
    </section>
  );
}

function PrivateLinks({ stream }: { readonly stream: StreamDetail }) {
  const { api } = useStudio();
  const show = (link: PlaybackToken) => (
    <>
      <CopyField label={`Watch page, until ${dateTime(link.expires_at)}`} value={link.watch_url} />
      <CopyField label="HLS playlist" value={link.hls_url} />
      <OpenLink url={link.watch_url} />
    </>
  );
  return <TimedLink what="stream" create={(lifetimeS) => api.createPlaybackToken(stream.id, lifetimeS)} show={show} />;
}

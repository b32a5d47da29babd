/** Links for viewers. */
import { useState } from 'react';
import type { PlaybackToken, StreamDetail } from '../api/resources.ts';
import { dateTime } from '../format/numbers.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { ExternalIcon } from '../parts/icons.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { useStudio } from '../session/context.tsx';
import { useAction } from './use-call.ts';

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

const lifetimes = [
  { seconds: 3_600, label: '1 hour' },
  { seconds: 43_200, label: '12 hours' },
  { seconds: 604_800, label: '7 days' },
  { seconds: 2_592_000, label: '30 days' },
] as const;

function PrivateLinks({ stream }: { readonly stream: StreamDetail }) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const [lifetimeS, setLifetimeS] = useState<number>(43_200);
  const [link, setLink] = useState<PlaybackToken | undefined>(undefined);

  const create = async () => {
    const token = await run(() => api.createPlaybackToken(stream.id, lifetimeS));
    if (token) setLink(token);
  };

  return (
    <>
      <p className="hint">This stream is private: each link that you create works until it expires.</p>
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
      {link !== undefined && (
        <>
          <CopyField label={`Watch page, until ${dateTime(link.expires_at)}`} value={link.watch_url} />
          <CopyField label="HLS playlist" value={link.hls_url} />
          <OpenLink url={link.watch_url} />
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

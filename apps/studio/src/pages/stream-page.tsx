/** One stream: what it is doing, how to send to it, how to watch it, and its settings. */
import { useCallback } from 'react';
import type { NewStreamKey, StreamDetail } from '../api/resources.ts';
import { runningTime } from '../format/numbers.ts';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { useStudio } from '../session/context.tsx';
import { EncoderCard } from './encoder-card.tsx';
import { HealthCard } from './health-card.tsx';
import { KeysCard } from './keys-card.tsx';
import { Preview } from './preview.tsx';
import { SettingsCard } from './settings-card.tsx';
import { ShareCard } from './share-card.tsx';
import { useLoaded } from './use-call.ts';

interface StreamPageProps {
  readonly streamId: string;
  /** The key that was made a moment ago, to be shown this once. */
  readonly freshKey: NewStreamKey | undefined;
  readonly onFreshKey: (key: NewStreamKey | undefined) => void;
}

export function StreamPage({ streamId, freshKey, onFreshKey }: StreamPageProps) {
  const { api, session } = useStudio();
  const stream = useLoaded(
    useCallback((signal) => api.getStream(streamId, signal), [api, streamId]),
    1_000,
  );
  const keys = useLoaded(useCallback((signal) => api.listKeys(streamId, signal), [api, streamId]));
  const mayChange = session?.role === 'admin' || session?.role === 'broadcaster';

  if (stream.value === undefined) {
    return stream.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={stream.error} />;
  }
  const detail = stream.value;
  return (
    <>
      <div className="page-head">
        <h1>{detail.title}</h1>
        <StateBadge state={detail.state} />
        <Uptime stream={detail} />
      </div>
      <ErrorNotice error={stream.error} />
      {detail.state === 'interrupted' && (
        <Notice tone="warning">
          The encoder's connection dropped. The stream goes on where it was if it re-connects soon; viewers wait
          meanwhile.
        </Notice>
      )}
      <div className="columns">
        <div className="stack">
          <Preview stream={detail} />
          {detail.state !== 'idle' && <HealthCard stream={detail} />}
          <EncoderCard stream={detail} freshKey={freshKey} onDone={() => onFreshKey(undefined)} />
        </div>
        <div className="stack">
          <ShareCard stream={detail} mayChange={mayChange} />
          <KeysCard streamId={streamId} keys={keys} mayChange={mayChange} onFreshKey={onFreshKey} />
          {mayChange && <SettingsCard stream={detail} onChanged={stream.refresh} />}
        </div>
      </div>
    </>
  );
}

function Uptime({ stream }: { readonly stream: StreamDetail }) {
  if (stream.state === 'idle' || stream.live_since === null) return null;
  const ms = Date.now() - Date.parse(stream.live_since);
  return Number.isNaN(ms) ? null : <span className="uptime">{runningTime(ms)}</span>;
}

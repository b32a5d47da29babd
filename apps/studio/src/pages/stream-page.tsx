/** One stream: what it is doing, how to send to it, how to watch it, and its settings. */
import type { HubStream } from '@millrace/api';
import { useCallback, useEffect } from 'react';
import type { NewStreamKey, StreamDetail } from '../api/resources.ts';
import { pollMs, useHubStream } from '../hub/hub-context.tsx';
import { healthOf } from '../hub/hub-health.ts';
import { ChartIcon } from '../parts/icons.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { RunningTime } from '../parts/running-time.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { ViewerCount } from '../parts/viewer-count.tsx';
import { lastHour } from '../routing/analytics-view.ts';
import { Link } from '../routing/router.tsx';
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
  const hub = useHubStream(streamId);
  const stream = useLoaded(
    useCallback((signal) => api.getStream(streamId, signal), [api, streamId]),
    pollMs(hub.link),
  );
  const { refresh } = stream;
  const definition = `${hub.stream?.title} ${hub.stream?.visibility} ${hub.stream?.state}`;
  useEffect(() => {
    void definition; // somebody else may have changed the stream; the API knows more of it than the hub
    refresh();
  }, [definition, refresh]);
  const keys = useLoaded(useCallback((signal) => api.listKeys(streamId, signal), [api, streamId]));
  const mayChange = session?.role === 'admin' || session?.role === 'broadcaster';

  if (stream.value === undefined) {
    return stream.error === undefined ? <p role="status">Loading…</p> : <ErrorNotice error={stream.error} />;
  }
  const live = hub.link === 'live' ? hub.stream : undefined;
  const detail = live === undefined ? stream.value : withLive(stream.value, live);
  return (
    <>
      <div className="page-head">
        <h1>{detail.title}</h1>
        <StateBadge state={detail.state} />
        {detail.state !== 'idle' && <RunningTime since={detail.live_since} />}
        {detail.state !== 'idle' && live !== undefined && <ViewerCount viewers={live.viewers} />}
        {session?.role !== 'viewer' && (
          <Link className="button" to={{ kind: 'analytics', view: { ...lastHour, streamId } }}>
            <ChartIcon /> Analytics
          </Link>
        )}
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

/** What the hub knows is newer. It says nothing of health to who may not see it. */
function withLive(detail: StreamDetail, live: HubStream): StreamDetail {
  const { state, live_since, health } = live;
  return { ...detail, state, live_since, health: health === undefined ? detail.health : healthOf(health) };
}

/** The broadcaster's own view: muted, at the live edge, with the latency beside it. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { StreamDetail } from '../api/resources.ts';
import { seconds } from '../format/numbers.ts';
import { MutedIcon, SoundIcon } from '../parts/icons.tsx';
import { useLatency } from '../player/use-latency.ts';
import { useMedia } from '../player/use-media.ts';
import { type PreviewPlayer, usePreviewPlayer } from './use-preview-player.ts';

export function Preview({ stream }: { readonly stream: StreamDetail }) {
  const on = stream.state !== 'idle';
  const player = usePreviewPlayer(stream, on);
  return (
    <section className="preview" aria-label="Preview">
      {on ? <Screen player={player} interrupted={stream.state === 'interrupted'} /> : <TestCard />}
    </section>
  );
}

function TestCard() {
  return (
    <div className="preview-idle">
      <p>Offline</p>
      <p className="hint">The preview starts by itself when your encoder does.</p>
    </div>
  );
}

function Screen({ player, interrupted }: { readonly player: PreviewPlayer; readonly interrupted: boolean }) {
  const { video } = player;
  const holder = useRef<HTMLDivElement>(null);
  const media = useMedia(video);
  const latency = useLatency(useCallback(() => player.playback(), [player]));
  const [showing, setShowing] = useState(false);

  useEffect(() => {
    holder.current?.prepend(video);
    const show = () => setShowing(true);
    video.addEventListener('playing', show);
    return () => video.removeEventListener('playing', show);
  }, [video]);

  return (
    <div ref={holder} className={interrupted ? 'preview-screen preview-dimmed' : 'preview-screen'}>
      {!showing && (
        <div className="stage-waiting" role="status">
          <span className="spinner" aria-hidden="true" />
          <span className="visually-hidden">Loading the preview</span>
        </div>
      )}
      <div className="preview-bar">
        <button
          type="button"
          className="control"
          onClick={() => {
            video.muted = !video.muted;
          }}
          aria-label={media.muted ? 'Turn the sound of the preview on' : 'Mute the preview'}
        >
          {media.muted ? <MutedIcon /> : <SoundIcon />}
        </button>
        <span className="spacer" />
        {latency.latencyS !== undefined && showing && (
          <span className="preview-latency">
            {latency.behind ? (
              <button
                type="button"
                className="live-badge live-badge-behind"
                onClick={() => player.playback()?.goLive()}
              >
                Jump to live
              </button>
            ) : (
              `${seconds(latency.latencyS)} behind the live edge`
            )}
          </span>
        )}
      </div>
    </div>
  );
}

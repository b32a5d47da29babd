/** A processed video on its stage: poster, picture, controls. */
import '../styles/vod.css';
import { type RefObject, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { pageTime } from '../player/browser-time.ts';
import { exposePlayer } from '../watch/debug-surface.ts';
import { rememberedVolume } from '../watch/volume.ts';
import { VodControls } from './vod-controls.tsx';
import { openVod, type VodLoss } from './vod-playback.ts';
import { VodSession } from './vod-session.ts';

interface VodPlayerProps {
  readonly title: string;
  /** Multivariant playlist. */
  readonly url: string;
  readonly poster: string | null;
  /** Its small pictures; null: there are none. */
  readonly storyboard: string | null;
  /** Changes when there is something else to play at the same address. */
  readonly version?: string;
  /** Load before it is asked to play. */
  readonly eager?: boolean;
  /** Play as soon as it can, if the browser lets it. */
  readonly autoplay?: boolean;
}

export function VodPlayer(props: VodPlayerProps) {
  const { title, url, poster, storyboard, version = '', eager = false, autoplay = false } = props;
  const stage = useRef<HTMLDivElement>(null);
  const { video, session } = useVod(stage, url, version);
  const state = useSyncExternalStore(
    useMemo(() => (listener: () => void) => session.subscribe(listener), [session]),
    () => session.state,
  );
  useEffect(() => {
    if (poster === null) video.removeAttribute('poster');
    else video.poster = ownAddress(poster);
    video.setAttribute('aria-label', title);
  }, [video, poster, title]);
  useEffect(() => {
    if (eager) session.load();
    if (autoplay) session.play();
  }, [eager, autoplay, session]);
  const play = useCallback(() => session.play(), [session]);
  return (
    <div className="vod-stage" ref={stage}>
      {state.kind === 'lost' ? (
        <div className="stage-card stage-card-over" role="alert">
          <p>{lossWords(state.loss)}</p>
          <button type="button" className="button" onClick={play}>
            Try again
          </button>
        </div>
      ) : (
        <VodControls
          video={video}
          stage={stage}
          loading={state.kind === 'loading'}
          storyboard={storyboard === null ? undefined : ownAddress(storyboard)}
          onPlay={play}
        />
      )}
    </div>
  );
}

function lossWords({ reason, refusedWith: status }: VodLoss): string {
  if (status === 401 || status === 403) {
    return 'This video is private. Ask for a new link: yours has no access, or has expired.';
  }
  if (status === 404) return 'There is no video at this address, or nothing of it can be played yet.';
  return `The video cannot be played at the moment (${reason}). Check your connection, then try again.`;
}

/** One element for as long as the component is there, at the front of its stage. */
function useVod(stage: RefObject<HTMLDivElement | null>, url: string, version: string) {
  const vod = useMemo(() => {
    const video = document.createElement('video');
    video.playsInline = true;
    video.preload = 'none';
    Object.assign(video, rememberedVolume());
    return { video, session: new VodSession({ video, time: pageTime, open: openVod }, url) };
    // biome-ignore lint/correctness/useExhaustiveDependencies: another address is given to the session below
  }, []);
  const { video, session } = vod;
  const shown = useRef(`${url} ${version}`);
  useEffect(() => {
    if (shown.current === `${url} ${version}`) return;
    shown.current = `${url} ${version}`;
    session.renew(url);
  }, [session, url, version]);
  useEffect(() => {
    stage.current?.prepend(video);
    const hide = exposePlayer({
      video,
      playback: () => undefined,
      hls: () => session.playback?.hls,
      state: () => ({ kind: 'vod', phase: session.state.kind }),
    });
    return () => {
      hide();
      session.close();
    };
  }, [stage, video, session]);
  return vod;
}

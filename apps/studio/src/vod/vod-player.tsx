/** A processed video on its stage: poster, picture, controls. */
import '../styles/vod.css';
import { type RefObject, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { pageTime } from '../player/browser-time.ts';
import { exposePlayer } from '../watch/debug-surface.ts';
import { rememberedVolume } from '../watch/volume.ts';
import { VodControls } from './vod-controls.tsx';
import { openVod } from './vod-playback.ts';
import { VodSession } from './vod-session.ts';

interface VodPlayerProps {
  readonly title: string;
  /** Multivariant playlist. */
  readonly url: string;
  readonly poster: string | null;
  /** Changes when there is something else to play at the same address. */
  readonly version?: string;
  /** Load before it is asked to play. */
  readonly eager?: boolean;
  readonly onSession?: (session: VodSession, video: HTMLVideoElement) => void;
}

export function VodPlayer({ title, url, poster, version = '', eager = false, onSession }: VodPlayerProps) {
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
    onSession?.(session, video);
  }, [eager, onSession, session, video]);
  const play = useCallback(() => {
    session.load();
    video.play().catch(() => undefined); // refused or broken off by a new load: the button stays
  }, [session, video]);
  return (
    <div className="vod-stage" ref={stage}>
      {state.kind === 'lost' ? (
        <div className="stage-card stage-card-over" role="alert">
          <p>
            The video cannot be played at the moment ({state.reason}). Check your connection; if it was just processed
            anew, reload the page.
          </p>
          <button type="button" className="button" onClick={play}>
            Try again
          </button>
        </div>
      ) : (
        <VodControls video={video} stage={stage} loading={state.kind === 'loading'} onPlay={play} />
      )}
    </div>
  );
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

/** Starts a visit to the watch page: everything that does not need React, as early as possible. */
import { createApiClient } from '../api/client.ts';
import { pageTime } from '../player/browser-time.ts';
import { loadHls, openPlayback } from '../player/playback.ts';
import { Audience } from './audience.ts';
import { type AutoplayOutcome, autoplay } from './autoplay.ts';
import { exposePlayer } from './debug-surface.ts';
import { rememberedVolume } from './volume.ts';
import { WatchSession } from './watch-session.ts';

export interface Visit {
  readonly playbackId: string;
  /** Playback token of a private stream. */
  readonly token: string | undefined;
  readonly video: HTMLVideoElement;
  readonly session: WatchSession;
  /** Resolves when the first frame is there, when something has to be said instead, or soon: the page may be drawn. */
  readonly pictureOrWords: Promise<void>;
  /** The same without the "soon": from here on the network is free for what is not the picture. */
  readonly settled: Promise<void>;
  readonly audience: Audience;
  /** How the last start of playing went; `subscribe` of it is the video's `autoplay-outcome` event. */
  outcome(): AutoplayOutcome | undefined;
}

/** Longest time without a title and controls, ms. */
const bareForMs = 800;

export function beginWatch(route: { readonly playbackId: string; readonly token?: string }): Visit {
  // Fetched beside the API's answer, not after it. A failure shows up again, and is handled, when the player is opened.
  loadHls().catch(() => undefined);
  const client = createApiClient({ fetch: (url, init) => fetch(url, init), token: () => undefined });
  const video = document.createElement('video');
  video.playsInline = true;
  video.preload = 'auto';
  const { volume, muted } = rememberedVolume();
  video.volume = volume;
  video.muted = muted;
  let outcome: AutoplayOutcome | undefined;
  const play = () =>
    void autoplay(video).then((result) => {
      outcome = result;
      video.dispatchEvent(new Event('autoplay-outcome'));
    });
  const session = new WatchSession({
    video,
    time: pageTime,
    ask: (signal) => client.watch(route.playbackId, route.token, signal),
    open: openPlayback,
    play,
  });
  exposePlayer({ video, playback: () => session.playback, state: () => session.state });
  const settled = new Promise<void>((resolve) => {
    const saysSomething = () => session.state.kind !== 'loading' && session.state.kind !== 'live';
    const unsubscribe = session.subscribe(() => saysSomething() && done());
    const done = () => {
      unsubscribe();
      video.removeEventListener('loadeddata', done);
      resolve();
    };
    video.addEventListener('loadeddata', done);
  });
  const soon = new Promise<void>((resolve) => void pageTime.after(bareForMs, resolve));
  session.start();
  return {
    playbackId: route.playbackId,
    token: route.token,
    video,
    session,
    pictureOrWords: Promise.race([settled, soon]),
    settled,
    audience: new Audience(),
    outcome: () => outcome,
  };
}

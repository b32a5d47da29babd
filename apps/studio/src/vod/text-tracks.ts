/** Subtitles of a video element, whoever put them there: hls.js, the browser's own HLS, or `<track>`. */
import { useCallback, useRef, useSyncExternalStore } from 'react';

export interface Subtitles {
  readonly tracks: readonly { readonly language: string; readonly label: string }[];
  /** Index of what is shown; -1: none. */
  readonly shown: number;
}

const none: Subtitles = { tracks: [], shown: -1 };
const storageKey = 'millrace.subtitles';

function tracksOf(video: HTMLVideoElement): TextTrack[] {
  return [...video.textTracks].filter(({ kind }) => kind === 'subtitles' || kind === 'captions');
}

/** Shows one of the tracks, or with -1 none, and remembers it for the next video. */
export function showSubtitles(video: HTMLVideoElement, index: number): void {
  const tracks = tracksOf(video);
  setModes(tracks, index);
  try {
    localStorage.setItem(storageKey, tracks[index]?.language ?? '');
  } catch {
    // Storage may be blocked: it is as for a first visit the next time.
  }
}

function setModes(tracks: readonly TextTrack[], index: number): void {
  tracks.forEach((track, i) => {
    const mode = i === index ? 'showing' : 'disabled';
    if (track.mode !== mode) track.mode = mode;
  });
}

/** The track to begin with: in the language that was chosen last; at first none. */
function rememberedTrack(video: HTMLVideoElement): number {
  try {
    const language = localStorage.getItem(storageKey);
    return language ? tracksOf(video).findIndex((track) => track.language === language) : -1;
  } catch {
    return -1;
  }
}

/** Follows the element's text tracks; each new one begins as it was chosen for the last video. */
export function useSubtitles(video: HTMLVideoElement): Subtitles {
  const last = useRef(none);
  const subscribe = useCallback(
    (listener: () => void) => {
      const onTrack = () => {
        setModes(tracksOf(video), rememberedTrack(video));
        listener();
      };
      const list = video.textTracks;
      list.addEventListener('addtrack', onTrack);
      list.addEventListener('removetrack', listener);
      list.addEventListener('change', listener);
      return () => {
        list.removeEventListener('addtrack', onTrack);
        list.removeEventListener('removetrack', listener);
        list.removeEventListener('change', listener);
      };
    },
    [video],
  );
  return useSyncExternalStore(subscribe, () => {
    const all = tracksOf(video);
    const now: Subtitles = {
      tracks: all.map(({ language, label }) => ({ language, label })),
      shown: all.findIndex(({ mode }) => mode === 'showing'),
    };
    if (JSON.stringify(now) === JSON.stringify(last.current)) return last.current;
    last.current = now;
    return now;
  });
}

/** A media element's state for React. */
import { useCallback, useRef, useSyncExternalStore } from 'react';

export interface MediaState {
  readonly paused: boolean;
  readonly muted: boolean;
  /** 0 to 1. */
  readonly volume: number;
  /** A picture is there to be seen. */
  readonly hasFrame: boolean;
}

const events = ['play', 'pause', 'playing', 'volumechange', 'emptied', 'loadeddata', 'ended'] as const;

/** Follows the element; renders again only when one of the fields changed. */
export function useMedia(video: HTMLVideoElement): MediaState {
  const last = useRef<MediaState | undefined>(undefined);
  const subscribe = useCallback(
    (listener: () => void) => {
      for (const event of events) video.addEventListener(event, listener);
      return () => {
        for (const event of events) video.removeEventListener(event, listener);
      };
    },
    [video],
  );
  return useSyncExternalStore(subscribe, () => {
    const now = {
      paused: video.paused,
      muted: video.muted,
      volume: video.volume,
      hasFrame: video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA,
    };
    const before = last.current;
    const same =
      before !== undefined &&
      before.paused === now.paused &&
      before.muted === now.muted &&
      before.volume === now.volume &&
      before.hasFrame === now.hasFrame;
    if (same) return before;
    last.current = now;
    return now;
  });
}

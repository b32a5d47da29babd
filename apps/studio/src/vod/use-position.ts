/** Where a video is, for React. */
import { useCallback, useRef, useSyncExternalStore } from 'react';

export interface Position {
  /** To a quarter of a second. */
  readonly atS: number;
  /** 0 while unknown. */
  readonly durationS: number;
  readonly ended: boolean;
  /** It wants to play and has nothing to play. */
  readonly waiting: boolean;
}

const events = ['timeupdate', 'durationchange', 'seeking', 'seeked', 'ended', 'emptied', 'waiting', 'playing', 'pause'];

export function usePosition(video: HTMLVideoElement): Position {
  const last = useRef<Position | undefined>(undefined);
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
    const { duration, ended, paused, readyState } = video;
    const now: Position = {
      atS: Math.round(video.currentTime * 4) / 4,
      durationS: Number.isFinite(duration) ? duration : 0,
      ended,
      waiting: !paused && !ended && readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
    };
    const before = last.current;
    const same =
      before !== undefined &&
      before.atS === now.atS &&
      before.durationS === now.durationS &&
      before.ended === now.ended &&
      before.waiting === now.waiting;
    if (same) return before;
    last.current = now;
    return now;
  });
}

import { useCallback, useRef, useSyncExternalStore } from 'react';

/**
 * What `read` says of a media element, for React: read again at each of `events` (a list that stays the same), rendered again only
 * when one of the fields changed.
 */
export function useMediaValue<T extends object>(
  video: HTMLVideoElement,
  events: readonly string[],
  read: (video: HTMLVideoElement) => T,
): T {
  const last = useRef<T | undefined>(undefined);
  const subscribe = useCallback(
    (listener: () => void) => {
      for (const event of events) video.addEventListener(event, listener);
      return () => {
        for (const event of events) video.removeEventListener(event, listener);
      };
    },
    [video, events],
  );
  return useSyncExternalStore(subscribe, () => {
    const now = read(video);
    const before = last.current;
    if (before !== undefined && (Object.keys(now) as (keyof T)[]).every((field) => before[field] === now[field])) {
      return before;
    }
    last.current = now;
    return now;
  });
}

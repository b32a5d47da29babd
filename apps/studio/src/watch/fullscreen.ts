/** Full screen: of the whole stage where the browser can, else of the video alone (iPhone). */
import { useSyncExternalStore } from 'react';

/** Safari on iPhone knows only this, and only on video elements. */
interface WebkitVideo {
  webkitEnterFullscreen(): void;
}

export function toggleFullscreen(stage: HTMLElement | null, video: HTMLVideoElement): void {
  // A refusal (an iframe without permission) leaves the page as it is.
  if (document.fullscreenElement !== null && document.fullscreenElement !== undefined) {
    document.exitFullscreen().catch(() => undefined);
  } else if (stage?.requestFullscreen !== undefined) stage.requestFullscreen().catch(() => undefined);
  else if (isWebkitVideo(video)) video.webkitEnterFullscreen();
}

export function useFullscreen(): boolean {
  return useSyncExternalStore(
    (listener) => {
      document.addEventListener('fullscreenchange', listener);
      return () => document.removeEventListener('fullscreenchange', listener);
    },
    () => document.fullscreenElement !== null && document.fullscreenElement !== undefined,
  );
}

function isWebkitVideo(video: object): video is WebkitVideo {
  return 'webkitEnterFullscreen' in video && typeof video.webkitEnterFullscreen === 'function';
}

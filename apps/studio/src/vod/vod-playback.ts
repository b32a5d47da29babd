/** Playing of a processed video: by hls.js where the browser has MediaSource, else natively. */
import { ownAddress } from '../api/own-address.ts';

/** It cannot go on by itself; nothing more comes after it. */
export interface VodLoss {
  readonly reason: string;
  /** HTTP status of a refusal: trying again would not help. */
  readonly refusedWith?: number | undefined;
}

export interface VodPlayback {
  /** The Hls instance, for tests. */
  readonly hls: unknown;
  /** Lets go of the element and the network. Safe to call twice. */
  close(): void;
}

export interface VodStart {
  readonly url: string;
  /** Where to begin, s. */
  readonly atS: number;
}

/** Rejects only when the player's code cannot be loaded. */
export async function openVod(
  video: HTMLVideoElement,
  { url, atS }: VodStart,
  onLost: (loss: VodLoss) => void,
): Promise<VodPlayback> {
  const here = ownAddress(url);
  if ('MediaSource' in window || 'ManagedMediaSource' in window) {
    const { startHlsVod } = await import('./hls-vod.ts');
    return startHlsVod(video, here, atS, onLost);
  }
  return startNativeVod(video, here, atS, onLost);
}

function startNativeVod(
  video: HTMLVideoElement,
  url: string,
  atS: number,
  onLost: (loss: VodLoss) => void,
): VodPlayback {
  const abort = new AbortController();
  const { signal } = abort;
  const close = () => {
    if (signal.aborted) return;
    abort.abort();
    video.removeAttribute('src');
    video.load();
  };
  const onError = () => {
    close();
    onLost({ reason: video.error?.message || `media error ${video.error?.code}` });
  };
  video.addEventListener('error', onError, { signal });
  video.addEventListener('loadedmetadata', () => (video.currentTime = atS), { signal, once: true });
  video.src = url;
  return { hls: undefined, close };
}

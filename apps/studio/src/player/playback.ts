/** One playing of one live URL in a video element: by hls.js where the browser has MediaSource, else natively. */

/** What the owner of a playback must know; after `ended` and `lost` nothing more comes. */
export type PlaybackSignal =
  /** ENDLIST was reached and the last frame played, or the playlist was over before anything was shown. */
  | { readonly kind: 'ended' }
  /** It cannot go on by itself: build another one if the stream is still live. */
  | { readonly kind: 'lost'; readonly reason: string };

export interface Playback {
  /** `hls` or `native`. */
  readonly engine: 'hls' | 'native';
  /** The Hls instance, for tests and benchmarks. */
  readonly hls: unknown;
  /** Seconds from the playhead to the live edge; undefined while unknown. */
  latencyS(): number | undefined;
  targetLatencyS(): number | undefined;
  /** From the packager's wall clock to the screen, in seconds; as true as both clocks. */
  wallClockLatencyS(): number | undefined;
  /** Whether the viewer has gone back in time. */
  behind(): boolean;
  goLive(): void;
  /** Lets go of the element and the network. Safe to call twice. */
  close(): void;
}

/**
 * Starts playing `url` in `video`. Rejects only when the player's code cannot be loaded.
 *
 * Only its path counts: the API names the public origin, while this page may have been opened under another name of the same
 * front (127.0.0.1, an address in the LAN), and its content security policy allows no other origin than its own.
 */
export async function openPlayback(
  video: HTMLVideoElement,
  url: string,
  onSignal: (signal: PlaybackSignal) => void,
): Promise<Playback> {
  const { pathname, search } = new URL(url, location.href);
  const here = `${pathname}${search}`;
  if ('MediaSource' in window || 'ManagedMediaSource' in window) {
    const { startHlsPlayback } = await loadHls();
    return startHlsPlayback(video, here, onSignal);
  }
  const { startNativePlayback } = await import('./native-playback.ts');
  return startNativePlayback(video, here, onSignal);
}

/** Begins to load the player's code, so that it comes together with the first answer of the API. */
export function loadHls() {
  return import('./hls-playback.ts');
}

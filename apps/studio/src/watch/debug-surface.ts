/**
 * What tests, benchmarks and curious people may read of the running player: `window.millrace`, and data attributes on
 * the video element (`data-state`, `data-phase`, `data-latency-ms`), brought up to date four times a second.
 */
import { pageTime } from '../player/browser-time.ts';
import type { Playback } from '../player/playback.ts';

export interface MillraceDebug {
  readonly video: HTMLVideoElement;
  /** The Hls instance; undefined when playing natively or not at all. */
  readonly hls: unknown;
  /** Seconds to the live edge as the player estimates them. */
  latencyS(): number | undefined;
  targetLatencyS(): number | undefined;
  /** From the packager's wall clock to the screen, seconds; true when both machines' clocks agree. */
  wallClockLatencyS(): number | undefined;
  /** `live`, `offline`... as the page is, and the phase of live. */
  state(): { readonly kind: string; readonly phase?: string };
}

declare global {
  interface Window {
    millrace?: MillraceDebug;
  }
}

interface DebugSource {
  readonly video: HTMLVideoElement;
  readonly playback: () => Playback | undefined;
  /** Where it is not the playback's. */
  readonly hls?: () => unknown;
  readonly state: () => { readonly kind: string; readonly phase?: string };
}

/** Shows a player to the outside; returns how to stop that. */
export function exposePlayer({ video, playback, hls, state }: DebugSource): () => void {
  const surface: MillraceDebug = {
    video,
    get hls() {
      return hls === undefined ? playback()?.hls : hls();
    },
    latencyS: () => playback()?.latencyS(),
    targetLatencyS: () => playback()?.targetLatencyS(),
    wallClockLatencyS: () => playback()?.wallClockLatencyS(),
    state,
  };
  window.millrace = surface;
  const timer = pageTime.every(250, () => {
    const { kind, phase } = state();
    video.dataset['state'] = kind;
    video.dataset['phase'] = phase ?? '';
    const latencyS = surface.latencyS();
    video.dataset['latencyMs'] = latencyS === undefined ? '' : String(Math.round(latencyS * 1000));
  });
  return () => {
    timer.cancel();
    if (window.millrace === surface) delete window.millrace;
  };
}

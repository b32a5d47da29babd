/** Processed videos by hls.js, in a bundle of its own beside hls.js. */
import Hls, { type ErrorData, Events } from 'hls.js';
import { pageTime } from '../player/browser-time.ts';
import { CmcdReporter } from '../player/cmcd-reporter.ts';
import { PlayMeter } from '../player/play-meter.ts';
import { decideRecovery } from '../player/recovery.ts';
import type { VodLoss, VodPlayback } from './vod-playback.ts';

const unknown = () => undefined;

export function startHlsVod(
  video: HTMLVideoElement,
  url: string,
  atS: number,
  onLost: (loss: VodLoss) => void,
): VodPlayback {
  const reporter = new CmcdReporter(url, 'video');
  const hls = new Hls({
    ...reporter.settings,
    startPosition: atS > 0 ? atS : -1,
    capLevelToPlayerSize: true,
    abrEwmaDefaultEstimate: 4_000_000,
    backBufferLength: 60,
    maxBufferLength: 30,
    maxMaxBufferLength: 60,
    // CMAF passes through without transmuxing: a worker would have nothing to do.
    enableWorker: false,
    enableInterstitialPlayback: false,
  });
  reporter.attach(
    hls,
    video,
    new PlayMeter({ video, hls, player: { latencyS: undefined }, wallClockLatencyS: unknown, time: pageTime }),
  );
  let lastRecoveryAtMs: number | undefined;
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    reporter.close();
    hls.destroy();
  };
  hls.on(Events.ERROR, (_event, data: ErrorData) => {
    if (!data.fatal || closed) return;
    const fault = { type: data.type, atMs: pageTime.monotonicMs() };
    if (decideRecovery(fault, lastRecoveryAtMs) === 'rebuild') {
      close();
      const status = data.response?.code ?? 0;
      return onLost({ reason: data.details, refusedWith: status >= 400 && status < 500 ? status : undefined });
    }
    lastRecoveryAtMs = fault.atMs;
    const wasPlaying = !video.paused;
    hls.recoverMediaError();
    if (wasPlaying) video.play().catch(() => undefined); // a refusal leaves the play button to be seen
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return { hls, close };
}

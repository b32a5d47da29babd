/** Playback by hls.js, held at the live edge by our own controller. In its own bundle: hls.js is most of the code. */
import {
  bufferAheadS,
  hlsLivePlayer,
  hlsLiveSettings,
  LiveEdgeController,
  wallClockLatencyS,
} from '@millrace/live-edge';
import Hls, { type ErrorData, Events } from 'hls.js';
import { pageTime } from './browser-time.ts';
import { CmcdReporter } from './cmcd-reporter.ts';
import { PlayMeter } from './play-meter.ts';
import type { Playback, PlaybackSignal } from './playback.ts';
import { PromptAudioController } from './prompt-audio.ts';
import { decideRecovery } from './recovery.ts';

/** A player that shows nothing new for this long although there is media to load is stuck. */
const stuckAfterMs = 8_000;
const unplayedMediaS = 3;

export function startHlsPlayback(
  video: HTMLVideoElement,
  url: string,
  onSignal: (signal: PlaybackSignal) => void,
): Playback {
  const reporter = new CmcdReporter(url);
  const hls = new Hls({
    ...hlsLiveSettings,
    ...reporter.settings,
    ...(PromptAudioController ? { audioStreamController: PromptAudioController } : {}),
  });
  const player = hlsLivePlayer(hls, video);
  const wallClockS = () => wallClockLatencyS(hls, Date.now());
  reporter.attach(hls, video, new PlayMeter({ video, hls, player, wallClockLatencyS: wallClockS, time: pageTime }));
  const controller = new LiveEdgeController(player, pageTime);
  let lastRecoveryAtMs: number | undefined;
  let closed = false;

  const finish = (signal: PlaybackSignal) => {
    if (closed) return;
    close();
    onSignal(signal);
  };

  hls.on(Events.LEVEL_LOADED, (_event, { details }) => {
    // A playlist that is over before anything was shown belongs to the last broadcast: do not play it again.
    if (!details.live && video.readyState < video.HAVE_CURRENT_DATA) finish({ kind: 'ended' });
  });
  hls.on(Events.ERROR, (_event, data: ErrorData) => {
    if (!data.fatal) return;
    const fault = { type: data.type, atMs: pageTime.monotonicMs() };
    if (decideRecovery(fault, lastRecoveryAtMs) === 'rebuild') return finish({ kind: 'lost', reason: data.details });
    lastRecoveryAtMs = fault.atMs;
    const wasPlaying = !video.paused;
    hls.recoverMediaError();
    // Emptying the element pauses it. A refusal leaves it paused, with the play button to be seen.
    if (wasPlaying) video.play().catch(() => undefined);
  });

  const onEnded = () => finish({ kind: 'ended' });
  const onVisibility = () => controller.hold(document.hidden);
  video.addEventListener('ended', onEnded);
  document.addEventListener('visibilitychange', onVisibility);
  onVisibility();

  let movedAtMs = pageTime.monotonicMs();
  let lastTimeS = -1;
  const watchdog = pageTime.every(1_000, () => {
    const nowMs = pageTime.monotonicMs();
    if (video.currentTime !== lastTimeS || video.paused || document.hidden) {
      movedAtMs = nowMs;
      lastTimeS = video.currentTime;
    } else if (nowMs - movedAtMs > stuckAfterMs) {
      const unplayedS = (player.edgeS ?? 0) - video.currentTime - bufferAheadS(video);
      // Without new media the origin is waiting for its publisher, and so are we.
      if (unplayedS > unplayedMediaS || bufferAheadS(video) > unplayedMediaS) finish({ kind: 'lost', reason: 'stuck' });
    }
  });

  const close = () => {
    if (closed) return;
    closed = true;
    watchdog.cancel();
    controller.close();
    video.removeEventListener('ended', onEnded);
    document.removeEventListener('visibilitychange', onVisibility);
    reporter.close();
    hls.destroy();
  };

  hls.loadSource(url);
  hls.attachMedia(video);
  controller.start();
  return {
    engine: 'hls',
    hls,
    latencyS: () => player.latencyS,
    targetLatencyS: () => player.targetLatencyS,
    wallClockLatencyS: wallClockS,
    behind: () => controller.mode === 'behind',
    goLive: () => controller.goLive(),
    close,
  };
}

/** Playback by the browser's own HLS (Safari without MediaSource). It keeps its own distance to the live edge. */
import { bufferAheadS } from '@millrace/live-edge';
import type { Playback, PlaybackSignal } from './playback.ts';

/** Distance from the end of the seekable range to jump to, s. */
const liveMarginS = 1;

export function startNativePlayback(
  video: HTMLVideoElement,
  url: string,
  onSignal: (signal: PlaybackSignal) => void,
): Playback {
  let closed = false;
  const edgeS = () => (video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) : undefined);
  const finish = (signal: PlaybackSignal) => {
    if (closed) return;
    close();
    onSignal(signal);
  };
  const onEnded = () => finish({ kind: 'ended' });
  const onError = () => finish({ kind: 'lost', reason: video.error?.message || `media error ${video.error?.code}` });
  const close = () => {
    if (closed) return;
    closed = true;
    video.removeEventListener('ended', onEnded);
    video.removeEventListener('error', onError);
    video.removeAttribute('src');
    video.load();
  };
  video.addEventListener('ended', onEnded);
  video.addEventListener('error', onError);
  video.src = url;
  return {
    engine: 'native',
    hls: undefined,
    latencyS: () => {
      const edge = edgeS();
      return edge === undefined ? undefined : Math.max(0, edge - video.currentTime);
    },
    targetLatencyS: () => undefined,
    wallClockLatencyS: () => {
      const startMs = getStartDateMs(video);
      return startMs === undefined ? undefined : (Date.now() - startMs) / 1000 - video.currentTime;
    },
    behind: () => (edgeS() ?? 0) - video.currentTime > 15 && bufferAheadS(video) > 0,
    goLive: () => {
      const edge = edgeS();
      if (edge !== undefined) video.currentTime = edge - liveMarginS;
    },
    close,
  };
}

/** Safari gives the PROGRAM-DATE-TIME of the element's time 0. */
interface DatedVideo {
  getStartDate(): Date;
}

function getStartDateMs(video: HTMLVideoElement): number | undefined {
  if (!isDatedVideo(video)) return undefined;
  const ms = video.getStartDate().getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

function isDatedVideo(video: object): video is DatedVideo {
  return 'getStartDate' in video && typeof video.getStartDate === 'function';
}

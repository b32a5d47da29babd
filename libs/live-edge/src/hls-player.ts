/**
 * hls.js and a media element as a `LivePlayer`.
 *
 * How latency is measured (hls.js 1.7.4). hls.js estimates the live edge as `details.edge + details.age`: the end of the
 * last listed part plus the time since the first byte of the playlist that listed it. With blocking reload the playlist
 * comes the moment the part exists, so the estimate is exact to the network's one-way delay and jitter (milliseconds on
 * a good line). Two things make `hls.latency` itself too coarse for a 100 ms rule: it is computed only on `timeupdate`
 * (4 Hz, never while stalled) and when a playlist advances; and the FIRST playlist of a session is not blocked, so its
 * newest part may already be one part target old (the next reload corrects that). So the same sum is taken here, at the
 * moment of asking.
 *
 * PROGRAM-DATE-TIME is no better signal for control: it needs the viewer's wall clock to agree with the origin's, which
 * on viewers' machines is wrong by seconds, and an offset learnt from playlist arrivals would be the sum above again.
 * On one machine, or with disciplined clocks, `wallClockLatencyS` tells the whole way from the packager's stamp to the
 * screen; it is offered as a readout and never steers.
 */
import type { LivePlayer } from './controller.ts';

/** What is used of an Hls instance. */
export interface HlsLike {
  readonly latestLevelDetails: { readonly edge: number; readonly age: number; readonly live: boolean } | null;
  readonly targetLatency: number | null;
  /** Wall-clock time of the frame on screen by PROGRAM-DATE-TIME. */
  readonly playingDate: Date | null;
}

/** What is used of an HTMLMediaElement. */
export interface MediaLike {
  currentTime: number;
  playbackRate: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly ended: boolean;
  /** 0: empty (also while hls.js attaches the media anew), 1: knows its tracks, 2 and more: has the present frame. */
  readonly readyState: number;
  readonly buffered: { readonly length: number; start(index: number): number; end(index: number): number };
}

/** Holes up to this are played through by browsers and by hls.js (its `maxBufferHole`). */
const bridgedHoleS = 0.1;

/** Seconds buffered from the playhead on, bridging holes that a player jumps. */
export function bufferAheadS(media: Pick<MediaLike, 'buffered' | 'currentTime'>): number {
  const { buffered, currentTime } = media;
  let endS = currentTime;
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= endS + bridgedHoleS && buffered.end(i) > endS) endS = buffered.end(i);
  }
  return endS - currentTime;
}

/** Reads hls.js and the element at the moment of asking; live streams only (`undefined` once ENDLIST was seen). */
export function hlsLivePlayer(hls: HlsLike, media: MediaLike): LivePlayer {
  const live = () => {
    const details = hls.latestLevelDetails;
    // An empty element stands at 0, which is no distance from anything.
    return details?.live && media.readyState > 0 ? details : undefined;
  };
  return {
    get latencyS() {
      const details = live();
      return details && details.edge + details.age - media.currentTime;
    },
    get targetLatencyS() {
      return live() && (hls.targetLatency ?? undefined);
    },
    get edgeS() {
      return live()?.edge;
    },
    get bufferAheadS() {
      return bufferAheadS(media);
    },
    get currentTimeS() {
      return media.currentTime;
    },
    get paused() {
      return media.paused;
    },
    get seeking() {
      // Without a frame it is on its way to a place that hls.js chose: the start, or behind a seek.
      return media.seeking || media.readyState < 2;
    },
    get ended() {
      return media.ended;
    },
    setRate(rate) {
      media.playbackRate = rate;
    },
    seek(toS) {
      media.currentTime = toS;
    },
  };
}

/** From the packager's wall-clock stamp to the screen, in seconds; as true as the two machines' clocks agree. */
export function wallClockLatencyS(hls: HlsLike, nowMs: number): number | undefined {
  const date = hls.playingDate;
  return date === null ? undefined : (nowMs - date.getTime()) / 1000;
}

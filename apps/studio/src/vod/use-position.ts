/** Where a video is, for React. */
import { useMediaValue } from '../player/use-media-value.ts';

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
  return useMediaValue(video, events, ({ currentTime, duration, ended, paused, readyState }) => ({
    atS: Math.round(currentTime * 4) / 4,
    durationS: Number.isFinite(duration) ? duration : 0,
    ended,
    waiting: !paused && !ended && readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
  }));
}

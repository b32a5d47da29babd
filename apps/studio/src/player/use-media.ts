/** A media element's state for React. */
import { useMediaValue } from './use-media-value.ts';

export interface MediaState {
  readonly paused: boolean;
  readonly muted: boolean;
  /** 0 to 1. */
  readonly volume: number;
  /** A picture is there to be seen. */
  readonly hasFrame: boolean;
}

const events = ['play', 'pause', 'playing', 'volumechange', 'emptied', 'loadeddata', 'ended'] as const;

/** Follows the element; renders again only when one of the fields changed. */
export function useMedia(video: HTMLVideoElement): MediaState {
  return useMediaValue(video, events, (media) => ({
    paused: media.paused,
    muted: media.muted,
    volume: media.volume,
    hasFrame: media.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA,
  }));
}

/** What a presentation shows, as plain values; this library only renders it. URIs are written as they are given. */

/** A media segment; its place in the list is its place in time. */
export interface DashSegment {
  /** Decode time of its first sample and how long it is, ticks of the track. */
  readonly startTicks: number;
  readonly durationTicks: number;
}

/** One Representation of CMAF segments that are named by their start. */
export interface DashTrack {
  /** Unique in the presentation: `video-720p`. */
  readonly id: string;
  /** Peak, bit/s. */
  readonly bandwidthBps: number;
  /** RFC 6381. */
  readonly codec: string;
  readonly timescale: number;
  readonly initUri: string;
  /** With `$Time$` where the start stands. */
  readonly mediaUri: string;
  readonly segments: readonly DashSegment[];
}

export interface DashVideo extends DashTrack {
  readonly width: number;
  readonly height: number;
  /** Frames per `den` seconds. */
  readonly frameRate: { readonly num: number; readonly den: number };
}

export interface DashAudio extends DashTrack {
  readonly sampleRate: number;
  readonly channels: number;
}

/** Captions in one WebVTT file. */
export interface DashCaptions {
  readonly id: string;
  /** BCP 47. */
  readonly language: string;
  readonly name: string;
  readonly uri: string;
}

/** A presentation that is whole and will not change. */
export interface DashPresentation {
  readonly durationMs: number;
  /** Best first; all of one codec family, cut at the same times. */
  readonly video: readonly DashVideo[];
  readonly audio: readonly DashAudio[];
  readonly captions: readonly DashCaptions[];
}

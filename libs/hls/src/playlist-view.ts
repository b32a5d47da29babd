/**
 * What a playlist shows, as plain values. The owner of a live window makes a view; this library only renders it. URIs
 * are written as they are given: relative ones make the same bytes good for every viewer.
 */

/** EXT-X-PART: one partial segment. */
export interface PartView {
  readonly uri: string;
  readonly durationS: number;
  /** Starts with an IDR or is audio. */
  readonly independent: boolean;
  readonly gap?: boolean;
}

/** A media segment. Only the last one of a view may be incomplete: it is then listed by its parts alone. */
export interface SegmentView {
  readonly uri: string;
  readonly durationS: number;
  readonly complete: boolean;
  /** EXT-X-GAP: it exists in the timeline, but has no media. */
  readonly gap: boolean;
  /** EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean;
  /** Wall clock of its first sample's presentation, ms since 1970. */
  readonly programDateTimeMs: number | undefined;
  /** EXT-X-MAP: its init section; undefined for a gap that never had one. */
  readonly mapUri: string | undefined;
  /** Empty when they are no longer listed. */
  readonly parts: readonly PartView[];
}

/** EXT-X-RENDITION-REPORT: where another rendition of the same stream stands. */
export interface RenditionReportView {
  readonly uri: string;
  /** Media sequence number of its last segment or partial segment. */
  readonly lastMsn: number;
  /** Index of its last part in `lastMsn`; undefined when the rendition has none. */
  readonly lastPart: number | undefined;
}

/** A live media playlist (rfc8216bis 4.4). */
export interface MediaPlaylistView {
  /** EXT-X-TARGETDURATION, whole seconds. */
  readonly targetDurationS: number;
  /** EXT-X-PART-INF:PART-TARGET, s. */
  readonly partTargetS: number;
  /** Number of the first segment. */
  readonly mediaSequence: number;
  /** Discontinuities before the first segment; its own EXT-X-DISCONTINUITY, if it still has one, is not counted. */
  readonly discontinuitySequence: number;
  readonly segments: readonly SegmentView[];
  /** The next part to come; undefined when nothing will. */
  readonly preloadHintUri: string | undefined;
  readonly renditionReports: readonly RenditionReportView[];
  /** EXT-X-ENDLIST: nothing will be added. */
  readonly ended: boolean;
  /** EXT-X-INDEPENDENT-SEGMENTS: only where it is true now and cannot become false. */
  readonly independentSegments: boolean;
}

/** EXT-X-STREAM-INF. */
export interface VariantView {
  readonly uri: string;
  /** Peak and average bit rate of the variant with its audio, bit/s. */
  readonly bandwidthBps: number;
  readonly averageBandwidthBps: number;
  /** RFC 6381 codecs of all its tracks. */
  readonly codecs: readonly string[];
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly frameRate?: number | undefined;
  readonly audioGroup?: string | undefined;
  readonly subtitlesGroup?: string | undefined;
}

/** EXT-X-MEDIA:TYPE=AUDIO. */
export interface AudioRenditionView {
  readonly group: string;
  readonly name: string;
  readonly uri: string;
  readonly channels?: number | undefined;
  readonly isDefault: boolean;
}

/** EXT-X-MEDIA:TYPE=SUBTITLES. */
export interface SubtitlesRenditionView {
  readonly group: string;
  readonly name: string;
  readonly uri: string;
  /** BCP 47. */
  readonly language: string;
  readonly isDefault: boolean;
}

export interface MultivariantPlaylistView {
  readonly variants: readonly VariantView[];
  readonly audio: readonly AudioRenditionView[];
  readonly subtitles?: readonly SubtitlesRenditionView[];
  readonly independentSegments: boolean;
}

/** A segment of a finished playlist. */
export interface VodSegmentView {
  readonly uri: string;
  readonly durationS: number;
  /** EXT-X-MAP; undefined for WebVTT, which has none. */
  readonly mapUri?: string | undefined;
}

/** A media playlist of something that is whole and will not change. */
export interface VodPlaylistView {
  readonly segments: readonly VodSegmentView[];
  readonly independentSegments: boolean;
}

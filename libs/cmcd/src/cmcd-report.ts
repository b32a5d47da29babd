/** What is kept of a CMCD report (CTA-5004-B; version 1 and 2), in the names and units of the facts it becomes. */

/** Play states (`sta`): starting, playing, seeking, rebuffering, paused, waiting, ended, fatal, quit, preload. */
export const cmcdStates = ['s', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd'] as const;
export type CmcdState = (typeof cmcdStates)[number];

/** Event types (`e`): play state, time interval, error, response received, bitrate change and the rest of the table. */
export const cmcdEvents: readonly string[] = [
  ...['ps', 't', 'e', 'rr', 'bc', 'c', 'b', 'm', 'um', 'pe', 'pc', 'pr', 'as', 'ae', 'abs', 'abe', 'sk', 'ce'],
];

/** Every field is bounded: numbers are whole and within limits, texts are printable ASCII of at most 64 characters. */
export interface CmcdFields {
  readonly event?: string;
  readonly state?: CmcdState;
  readonly startup_ms?: number;
  readonly starved_count?: number;
  readonly starved_total_ms?: number;
  readonly starved_ms?: number;
  readonly starved?: boolean;
  readonly latency_ms?: number;
  readonly dropped_frames?: number;
  readonly bitrate_kbps?: number;
  readonly playhead_kbps?: number;
  readonly top_kbps?: number;
  readonly buffer_ms?: number;
  readonly throughput_kbps?: number;
  readonly object_type?: string;
  readonly playback_rate?: number;
  readonly error_codes?: string[];
  readonly sequence?: number;
  readonly player_session?: string;
}

export interface CmcdReport {
  readonly version: 1 | 2;
  /** The player's own clock (`ts`), ms since 1970; not to be trusted. */
  readonly atMs: number | undefined;
  readonly fields: CmcdFields;
}

/**
 * Why something was dropped: it does not parse; it is longer than a report may be; its `v` is none we know; an event
 * report without a known `e`; nothing of it is of use here; a value outside its type or limits (the rest of the report is
 * kept); more lines than a body may have.
 */
export const cmcdDropReasons = ['syntax', 'oversize', 'version', 'event', 'empty', 'value', 'too-many'] as const;
export type CmcdDropReason = (typeof cmcdDropReasons)[number];

/** Is told of each thing that was dropped. */
export type OnCmcdDrop = (reason: CmcdDropReason) => void;

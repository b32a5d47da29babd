/** What to do about a fatal player error. Pure. */

export interface PlayerFault {
  /** hls.js's error type: `networkError`, `mediaError`, `muxError`, `keySystemError`, `otherError`. */
  readonly type: string;
  readonly atMs: number;
}

export type Recovery =
  /** Detach and attach the media: cures most decoder errors within the same playback. */
  | 'recover-media'
  /** Give this playback up; its owner asks the API and builds another. */
  | 'rebuild';

/** A decoder that fails again this soon is not cured by attaching it again. */
const relapseMs = 5_000;

/** Media errors are recovered in place unless they return at once; everything else needs a new playback. */
export function decideRecovery(fault: PlayerFault, lastRecoveryAtMs: number | undefined): Recovery {
  if (fault.type !== 'mediaError') return 'rebuild';
  return lastRecoveryAtMs !== undefined && fault.atMs - lastRecoveryAtMs < relapseMs ? 'rebuild' : 'recover-media';
}

/** Wait before rebuild number `attempt` (from 0) in a row, ms: at once, then doubling up to 5 s. */
export function rebuildDelayMs(attempt: number): number {
  return attempt === 0 ? 0 : Math.min(5_000, 250 * 2 ** attempt);
}

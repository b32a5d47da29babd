/** When the picture stops for lack of media, and for how long: a fold over the events of a media element. Pure. */

export interface Starvation {
  /** When the first frame moved, ms on the caller's clock; before that nothing counts as a stop. */
  readonly firstFrameAtMs: number | undefined;
  /** When the stop began that is still going on. */
  readonly sinceMs: number | undefined;
  readonly count: number;
  /** Sum over the stops that have ended, ms. */
  readonly endedMs: number;
  /** Length of the stop that ended last and was not reported yet, ms. */
  readonly unreportedMs: number | undefined;
}

export const neverStarved: Starvation = {
  firstFrameAtMs: undefined,
  sinceMs: undefined,
  count: 0,
  endedMs: 0,
  unreportedMs: undefined,
};

export type MediaMoment =
  /** The picture moves. */
  | 'playing'
  /** The element has run dry; not so for a jump, where the viewer asked for the wait. */
  | 'waiting'
  /** The viewer paused or jumped: what follows is not the network's doing. */
  | 'interfered';

export function nextStarvation(before: Starvation, moment: MediaMoment, nowMs: number): Starvation {
  if (moment === 'waiting') {
    if (before.firstFrameAtMs === undefined || before.sinceMs !== undefined) return before;
    return { ...before, sinceMs: nowMs, count: before.count + 1 };
  }
  const started = before.firstFrameAtMs === undefined && moment === 'playing';
  const after = started ? { ...before, firstFrameAtMs: nowMs } : before;
  if (after.sinceMs === undefined) return after;
  const lengthMs = nowMs - after.sinceMs;
  return { ...after, sinceMs: undefined, endedMs: after.endedMs + lengthMs, unreportedMs: lengthMs };
}

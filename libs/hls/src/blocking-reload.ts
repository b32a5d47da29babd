/**
 * When may a playlist request be answered? (rfc8216bis 6.2.5.2.) Pure: the caller holds the request, asks `isReached` after
 * every new part, and gives up after three target durations.
 */
import { assertNever, err, ok, type Result } from '@millrace/result';

/** The delivery directives of a request. */
export interface ReloadQuery {
  /** `_HLS_msn` */
  readonly msn: number | undefined;
  /** `_HLS_part` */
  readonly part: number | undefined;
  /** `_HLS_skip=YES` or `v2` */
  readonly skip: boolean;
}

/** Where a media playlist ends. */
export interface PlaylistPosition {
  /** The part that comes next: segments below `nextSegment` are complete, `nextSegment` has `nextPart` parts. */
  readonly nextSegment: number;
  readonly nextPart: number;
  /** How many parts segment `nextSegment - 1` has; 0 when there is none. */
  readonly lastSegmentParts: number;
  readonly partTargetS: number;
  readonly ended: boolean;
}

/** What has to be listed before the answer: a part of a segment, or the whole segment (`part` undefined). */
export interface AwaitedPart {
  readonly msn: number;
  readonly part: number | undefined;
}

export type ReloadDecision =
  | { readonly kind: 'now' }
  | { readonly kind: 'wait'; readonly until: AwaitedPart }
  | { readonly kind: 'bad-request'; readonly message: string };

/** The Advance Part Limit: how many parts past the last one a request may name (rfc8216bis 6.2.5.2). */
export function advancePartLimit(partTargetS: number): number {
  return partTargetS < 1 ? Math.ceil(3 / partTargetS) : 3;
}

/** Parses the directives of a query string (without `?`); others are left alone. A part without a segment is refused. */
export function parseReloadQuery(
  search: string,
): Result<ReloadQuery, { readonly kind: 'bad-request'; readonly message: string }> {
  let msn: number | undefined;
  let part: number | undefined;
  let skip = false;
  for (const pair of search === '' ? [] : search.split('&')) {
    if (!pair.startsWith('_HLS_')) continue;
    const [name, text = ''] = pair.split('=', 2);
    if (name === '_HLS_skip') skip = text === 'YES' || text === 'v2';
    if (name !== '_HLS_msn' && name !== '_HLS_part') continue;
    if (!/^\d{1,15}$/.test(text)) {
      return err({ kind: 'bad-request', message: `expected a decimal number in ${name}, got "${text.slice(0, 40)}"` });
    }
    if (name === '_HLS_msn') msn = Number(text);
    else part = Number(text);
  }
  if (part !== undefined && msn === undefined) {
    return err({ kind: 'bad-request', message: '_HLS_part needs _HLS_msn, which is missing' });
  }
  return ok({ msn, part, skip });
}

/** Decides about a request for a playlist that stands at `position`. What was asked and is gone already is answered now. */
export function decideReload(position: PlaylistPosition, query: ReloadQuery): ReloadDecision {
  const { msn, part } = query;
  if (position.ended || msn === undefined) return { kind: 'now' };
  const lastMsn = position.nextSegment - 1;
  if (msn > lastMsn + 2) {
    return { kind: 'bad-request', message: `_HLS_msn=${msn} is more than two past the last segment, ${lastMsn}` };
  }
  if (part !== undefined && msn >= position.nextSegment) {
    const limit = advancePartLimit(position.partTargetS);
    const ahead = msn === position.nextSegment ? part - (position.nextPart - 1) : part + 1;
    if (ahead > limit) {
      const last = `${position.nextSegment}.${position.nextPart}`;
      return {
        kind: 'bad-request',
        message: `_HLS_part=${part} of segment ${msn} is more than ${limit} parts ahead; next is ${last}`,
      };
    }
  }
  const until = { msn, part };
  return isReached(position, until) ? { kind: 'now' } : { kind: 'wait', until };
}

/**
 * Whether the playlist lists what a request waits for, or something later. A part number past the end of its segment
 * stands for part 0 of the next one. An ended playlist has nothing to wait for.
 */
export function isReached(position: PlaylistPosition, awaited: AwaitedPart): boolean {
  if (position.ended) return true;
  const { msn, part } = awaited;
  if (part === undefined) return msn < position.nextSegment;
  const distance = Math.sign(msn - (position.nextSegment - 1)) as -1 | 0 | 1;
  switch (distance) {
    case -1:
      return true;
    case 0:
      return part < position.lastSegmentParts || position.nextPart > 0;
    case 1:
      return msn === position.nextSegment && part < position.nextPart;
    default:
      return assertNever(distance);
  }
}

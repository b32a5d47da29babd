/** The rules of LL-HLS (rfc8216bis, Apple's authoring specification) as a check of texts: returns what is broken. */
import { type ReadPlaylist, type ReadSegment, readMediaPlaylist } from './playlist-reader.ts';

/** Rounding of 5 decimals, of as many parts as a segment may have. */
const tolerance = 1e-5;
/** A sum over many segments adds up their rounding. */
const sumTolerance = 1e-3;

/** Checks one media playlist, and against `previous` (an older full one of the same rendition) what may change. */
export function checkMediaPlaylist(text: string, previous?: string): readonly string[] {
  const playlist = readMediaPlaylist(text);
  const faults = [...playlist.disorder, ...checkHead(playlist), ...checkParts(playlist), ...checkTimeline(playlist)];
  playlist.segments.forEach((segment, i) => {
    const isLast = i === playlist.segments.length - 1;
    faults.push(...checkSegment(segment, playlist, isLast));
  });
  if (playlist.ended && playlist.hints.length > 0) faults.push('a preload hint in a playlist that has ended');
  if (!playlist.ended && playlist.hints.filter((hint) => hint['TYPE'] === 'PART').length !== 1) {
    faults.push('not exactly one PART preload hint in a live playlist');
  }
  for (const report of playlist.reports) {
    if (report['URI'] === undefined || /^[a-z]+:/.test(report['URI']))
      faults.push('a rendition report without a relative URI');
    if (!/^\d+$/.test(report['LAST-MSN'] ?? '')) faults.push('a rendition report without LAST-MSN');
  }
  if (previous !== undefined) faults.push(...checkAgainst(readMediaPlaylist(previous), playlist));
  return faults;
}

function checkHead(playlist: ReadPlaylist): string[] {
  const { targetDurationS, partTargetS, control } = playlist;
  const faults: string[] = [];
  if (!Number.isInteger(targetDurationS)) faults.push('EXT-X-TARGETDURATION is not a whole number');
  if (!(partTargetS > 0)) faults.push('no EXT-X-PART-INF');
  if (playlist.version < 9) faults.push('EXT-X-VERSION below 9');
  if (!Number.isInteger(playlist.mediaSequence)) faults.push('no EXT-X-MEDIA-SEQUENCE');
  if (!Number.isInteger(playlist.discontinuitySequence)) faults.push('no EXT-X-DISCONTINUITY-SEQUENCE');
  if (control['CAN-BLOCK-RELOAD'] !== 'YES') faults.push('no CAN-BLOCK-RELOAD=YES');
  if (!(Number(control['PART-HOLD-BACK']) >= 3 * partTargetS - tolerance)) faults.push('PART-HOLD-BACK below 3 parts');
  if (!(Number(control['HOLD-BACK']) >= 3 * targetDurationS)) faults.push('HOLD-BACK below 3 target durations');
  if (!(Number(control['CAN-SKIP-UNTIL']) >= 6 * targetDurationS))
    faults.push('CAN-SKIP-UNTIL below 6 target durations');
  return faults;
}

function checkSegment(segment: ReadSegment, playlist: ReadPlaylist, isLast: boolean): string[] {
  const name = `segment ${segment.number}`;
  const faults: string[] = [];
  if (segment.uri === undefined) {
    if (!isLast) faults.push(`${name} has no URI and is not the last`);
    if (playlist.ended) faults.push(`${name} is incomplete in a playlist that has ended`);
    return faults;
  }
  const durationS = segment.durationS ?? Number.NaN;
  if (!(Math.round(durationS) <= playlist.targetDurationS))
    faults.push(`${name} lasts ${durationS} s, over the target`);
  if (segment.mapUri === undefined && !segment.gap && playlist.skipped === 0) faults.push(`${name} has no EXT-X-MAP`);
  if (segment.discontinuity && segment.mapTag === undefined && !segment.gap) {
    faults.push(`${name} starts a discontinuity without an EXT-X-MAP of its own`);
  }
  if (segment.parts.length > 0) {
    const sum = segment.parts.reduce((total, part) => total + part.durationS, 0);
    if (Math.abs(sum - durationS) > tolerance * (segment.parts.length + 1)) {
      faults.push(`${name} lasts ${durationS} s but its parts ${sum} s`);
    }
  }
  return faults;
}

/** Part durations, and how far back parts are listed. */
function checkParts(playlist: ReadPlaylist): string[] {
  const faults: string[] = [];
  let afterS = 0;
  for (const segment of [...playlist.segments].reverse()) {
    const complete = segment.uri !== undefined;
    segment.parts.forEach((part, i) => {
      const name = `part ${segment.number}.${i}`;
      if (!(part.durationS <= playlist.partTargetS + tolerance))
        faults.push(`${name} lasts ${part.durationS} s, over PART-TARGET`);
      const isLast = complete && i === segment.parts.length - 1;
      const beforeGap = segment.parts[i + 1]?.gap === true;
      const mayBeShort =
        part.independent || part.gap || beforeGap || isLast || (!complete && i === segment.parts.length - 1);
      if (!mayBeShort && part.durationS < 0.85 * playlist.partTargetS - tolerance) {
        faults.push(`${name} lasts ${part.durationS} s, under 85 % of PART-TARGET`);
      }
    });
    if (segment.parts.length === 0 && !segment.gap && afterS < 3 * playlist.targetDurationS - sumTolerance) {
      faults.push(`segment ${segment.number} lists no parts, ${afterS} s before the end`);
    }
    if (segment.parts.length > 0 && afterS > 3 * playlist.targetDurationS + sumTolerance) {
      faults.push(`segment ${segment.number} still lists parts, ${afterS} s before the end`);
    }
    afterS += segment.durationS ?? segment.parts.reduce((sum, part) => sum + part.durationS, 0);
  }
  return faults;
}

/** PROGRAM-DATE-TIME rises within a discontinuity. */
function checkTimeline(playlist: ReadPlaylist): string[] {
  const faults: string[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const segment of playlist.segments) {
    if (segment.discontinuity) last = Number.NEGATIVE_INFINITY;
    if (segment.programDateTimeMs === undefined) continue;
    if (!(segment.programDateTimeMs > last))
      faults.push(`PROGRAM-DATE-TIME of segment ${segment.number} does not rise`);
    last = segment.programDateTimeMs;
  }
  return faults;
}

/** What a reload may not change (rfc8216bis 6.2.1, 6.2.2). */
function checkAgainst(old: ReadPlaylist, now: ReadPlaylist): string[] {
  const faults: string[] = [];
  if (now.targetDurationS !== old.targetDurationS) faults.push('TARGETDURATION changed');
  if (now.partTargetS !== old.partTargetS) faults.push('PART-TARGET changed');
  if (now.mediaSequence < old.mediaSequence) faults.push('MEDIA-SEQUENCE went back');
  if (now.discontinuitySequence < old.discontinuitySequence) faults.push('DISCONTINUITY-SEQUENCE went back');
  if (old.ended && !now.ended) faults.push('ENDLIST was taken back');
  const removed = old.segments.filter((segment) => segment.number < now.mediaSequence && segment.discontinuity).length;
  if (
    now.mediaSequence <= (old.segments.at(-1)?.number ?? -1) &&
    now.discontinuitySequence !== old.discontinuitySequence + removed
  ) {
    faults.push(
      `DISCONTINUITY-SEQUENCE is ${now.discontinuitySequence}, not ${old.discontinuitySequence} + ${removed} removed`,
    );
  }
  for (const before of old.segments) {
    const after = now.segments.find((segment) => segment.number === before.number);
    if (after === undefined) {
      if (before.number >= now.mediaSequence + now.skipped) faults.push(`segment ${before.number} vanished`);
      continue;
    }
    if (before.uri !== undefined && (after.uri !== before.uri || after.durationS !== before.durationS)) {
      faults.push(`segment ${before.number} changed after it was complete`);
    }
    if (before.discontinuity !== after.discontinuity || before.programDateTimeMs !== after.programDateTimeMs) {
      faults.push(`the tags of segment ${before.number} changed`);
    }
    before.parts.forEach((part, i) => {
      const still = after.parts[i];
      if (after.parts.length > 0 && (still?.uri !== part.uri || still.durationS !== part.durationS)) {
        faults.push(`part ${before.number}.${i} changed after it was listed`);
      }
    });
  }
  return faults;
}

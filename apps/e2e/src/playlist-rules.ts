/** The LL-HLS rules that a sequence of media playlists must keep (draft-pantos-hls-rfc8216bis-22, Apple's authoring spec). */
import type { ListedSegment, MediaPlaylist } from './playlist-text.ts';

const roundingS = 0.000_6;

/** What is wrong with one playlist on its own; empty when nothing is. */
export function playlistMistakes(playlist: MediaPlaylist): readonly string[] {
  const mistakes: string[] = [];
  const { targetDurationS, partTargetS, serverControl, segments } = playlist;
  if (!Number.isInteger(targetDurationS)) mistakes.push(`TARGETDURATION is ${targetDurationS}`);
  if (partTargetS === undefined) return [...mistakes, 'PART-INF is missing'];
  if (!playlist.ended && serverControl['CAN-BLOCK-RELOAD'] !== 'YES') mistakes.push('CAN-BLOCK-RELOAD is missing');
  const holdBackS = Number(serverControl['PART-HOLD-BACK']);
  if (!(holdBackS >= 3 * partTargetS - roundingS)) mistakes.push(`PART-HOLD-BACK ${holdBackS} is below 3 part targets`);
  if (playlist.discontinuitySequence === undefined && segments.some((segment) => segment.discontinuity)) {
    mistakes.push('a discontinuity without DISCONTINUITY-SEQUENCE');
  }
  if (segments[0]?.programDateTimeMs === undefined) mistakes.push('the first segment has no PROGRAM-DATE-TIME');
  for (const segment of segments) mistakes.push(...segmentMistakes(segment, targetDurationS, partTargetS));
  mistakes.push(...dateMistakes(segments));
  if (playlist.ended && playlist.preloadHint !== undefined) mistakes.push('a preload hint beside ENDLIST');
  if (!playlist.ended && playlist.preloadHint === undefined) mistakes.push('no preload hint');
  // A gap has no parts and interrupts nothing: it stands where a publisher went away between video and audio.
  const showsParts = ({ uri, parts, gap }: ListedSegment) => parts.length > 0 || gap || uri === undefined;
  const partsFrom = segments.findLastIndex((segment) => !showsParts(segment)) + 1;
  const listedS = segments.slice(partsFrom).reduce((sum, { durationS, parts }) => sum + (durationS ?? total(parts)), 0);
  if (partsFrom > 0 && listedS < 3 * targetDurationS) mistakes.push(`parts are listed for the last ${listedS} s only`);
  if (segments.slice(0, partsFrom).some(({ parts }) => parts.length > 0)) {
    mistakes.push('a segment without parts among those with parts');
  }
  return mistakes;
}

function segmentMistakes(segment: ListedSegment, targetDurationS: number, partTargetS: number): string[] {
  const { number, parts, durationS, uri, gap, map } = segment;
  const mistakes: string[] = [];
  if (durationS !== undefined && Math.round(durationS) > targetDurationS) {
    mistakes.push(`segment ${number} lasts ${durationS} s, the target is ${targetDurationS}`);
  }
  if (map === undefined && !gap) mistakes.push(`segment ${number} has no EXT-X-MAP`);
  parts.forEach((part, i) => {
    const name = `part ${number}.${i}`;
    if (part.durationS > partTargetS + roundingS) mistakes.push(`${name} lasts ${part.durationS} s > ${partTargetS}`);
    const last = uri !== undefined && i === parts.length - 1;
    const mayBeShort = part.independent || part.gap || parts[i + 1]?.gap || last;
    // The part that ends the open segment is not known to be its last yet: it is judged in the next playlist.
    const judged = uri !== undefined || i < parts.length - 1;
    if (judged && !mayBeShort && part.durationS < 0.85 * partTargetS) {
      mistakes.push(`${name} lasts ${part.durationS} s, below 85 % of ${partTargetS}`);
    }
  });
  if (durationS !== undefined && parts.length > 0 && Math.abs(total(parts) - durationS) > 0.001 * (parts.length + 1)) {
    mistakes.push(`segment ${number} lasts ${durationS} s and its parts ${total(parts)} s`);
  }
  return mistakes;
}

function total(parts: ListedSegment['parts']): number {
  return parts.reduce((sum, { durationS }) => sum + durationS, 0);
}

/** PROGRAM-DATE-TIME runs with the media except over a discontinuity. */
function dateMistakes(segments: readonly ListedSegment[]): string[] {
  const mistakes: string[] = [];
  let expectedMs: number | undefined;
  for (const { number, programDateTimeMs, durationS, discontinuity } of segments) {
    if (discontinuity) expectedMs = undefined;
    const drift = programDateTimeMs !== undefined && expectedMs !== undefined ? programDateTimeMs - expectedMs : 0;
    if (Math.abs(drift) > 100) mistakes.push(`PROGRAM-DATE-TIME of segment ${number} jumps by ${drift} ms`);
    const fromMs = programDateTimeMs ?? expectedMs;
    expectedMs = fromMs === undefined || durationS === undefined ? undefined : fromMs + durationS * 1000;
  }
  return mistakes;
}

/** What changed between two reloads and must not have. */
export function reloadMistakes(before: MediaPlaylist, after: MediaPlaylist): readonly string[] {
  const mistakes: string[] = [];
  if (after.targetDurationS !== before.targetDurationS) mistakes.push('TARGETDURATION changed');
  if (after.partTargetS !== before.partTargetS) mistakes.push('PART-TARGET changed');
  if (before.ended && !after.ended) mistakes.push('ENDLIST went away');
  if (after.mediaSequence < before.mediaSequence) mistakes.push('MEDIA-SEQUENCE went back');
  const gone = before.segments.filter(({ number }) => number < after.mediaSequence);
  const passed = gone.filter(({ discontinuity }) => discontinuity).length;
  const [from, to] = [before.discontinuitySequence ?? 0, after.discontinuitySequence ?? 0];
  if (to !== from + passed) mistakes.push(`DISCONTINUITY-SEQUENCE went from ${from} to ${to}, ${passed} were passed`);
  const later = new Map(after.segments.map((segment) => [segment.number, segment]));
  for (const old of before.segments.filter(({ number }) => number >= after.mediaSequence)) {
    const now = later.get(old.number);
    if (now === undefined) mistakes.push(`segment ${old.number} went from the end of the list`);
    else {
      if (old.uri !== undefined && (now.uri !== old.uri || now.durationS !== old.durationS)) {
        mistakes.push(`segment ${old.number} changed`);
      }
      if (now.discontinuity !== old.discontinuity || now.map !== old.map) {
        mistakes.push(`discontinuity or map of segment ${old.number} changed`);
      }
      const same = old.parts.every(
        (part, i) =>
          now.parts.length === 0 || (now.parts[i]?.uri === part.uri && now.parts[i]?.durationS === part.durationS),
      );
      if (!same) mistakes.push(`parts of segment ${old.number} changed`);
    }
  }
  const hint = before.preloadHint;
  const known = new Set(before.segments.flatMap(({ parts }) => parts.map(({ uri }) => uri)));
  const appended = after.segments.flatMap(({ parts, discontinuity }) =>
    parts.map(({ uri }) => ({ uri, discontinuity })),
  );
  const first = appended.find(({ uri }) => !known.has(uri));
  // A hint may come to nothing (rfc8216bis 4.4.5.3) when another publish begins: a segment with a discontinuity.
  if (first !== undefined && hint !== undefined && first.uri !== hint && !first.discontinuity) {
    mistakes.push(`the hint was ${hint}, the next part is ${first.uri}`);
  }
  return mistakes;
}

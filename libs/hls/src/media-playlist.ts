import { attributeList, decimal, quoted, roundUp5 } from './attributes.ts';
import type { MediaPlaylistView, PartView, SegmentView } from './playlist-view.ts';

/** Version 9 for EXT-X-SKIP; the full playlist carries the same, so that a delta update agrees with it (rfc8216bis 8). */
const protocolVersion = 9;
/** PART-HOLD-BACK in part targets: three, as Apple's authoring rules 14.3 demand (rfc8216bis says at least two). */
const partHoldBackParts = 3;
const holdBackTargets = 3;
/** CAN-SKIP-UNTIL in target durations: the least that is allowed. */
const skipBoundaryTargets = 6;
/** Parts are listed this many target durations back from the end of the playlist (rfc8216bis 4.4.4.9). */
export const partListingTargets = 3;

/** EXT-X-PART-INF:PART-TARGET as it is written, s. */
export function writtenPartTargetS(partTargetS: number): number {
  return roundUp5(partTargetS);
}

/** How many of the oldest segments lie before the skip boundary and may be replaced by EXT-X-SKIP. */
export function skippableSegments(view: MediaPlaylistView): number {
  const boundaryS = view.targetDurationS * skipBoundaryTargets;
  let afterS = 0;
  for (let i = view.segments.length - 1; i >= 0; i--) {
    if (afterS > boundaryS) return i + 1;
    afterS += view.segments[i]?.durationS ?? 0;
  }
  return 0;
}

/**
 * Renders a media playlist. With `skip` it is a delta update (`_HLS_skip`), unless nothing is old enough to be skipped or
 * the playlist has ended.
 */
export function renderMediaPlaylist(view: MediaPlaylistView, options: { readonly skip?: boolean } = {}): string {
  const partTarget = writtenPartTargetS(view.partTargetS);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${protocolVersion}`,
    `#EXT-X-TARGETDURATION:${view.targetDurationS}`,
    `#EXT-X-SERVER-CONTROL:${attributeList([
      ['CAN-BLOCK-RELOAD', 'YES'],
      ['PART-HOLD-BACK', decimal(partTarget * partHoldBackParts)],
      ['HOLD-BACK', view.targetDurationS * holdBackTargets],
      ['CAN-SKIP-UNTIL', view.targetDurationS * skipBoundaryTargets],
    ])}`,
    `#EXT-X-PART-INF:PART-TARGET=${decimal(partTarget)}`,
    `#EXT-X-MEDIA-SEQUENCE:${view.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${view.discontinuitySequence}`,
  ];
  if (view.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  const skipped = options.skip && !view.ended ? skippableSegments(view) : 0;
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  let map: string | undefined;
  view.segments.forEach((segment, index) => {
    const mapIsNew = segment.mapUri !== undefined && (segment.mapUri !== map || segment.discontinuity);
    map = segment.mapUri ?? map;
    if (index >= skipped) pushSegment(lines, segment, mapIsNew);
  });
  if (view.preloadHintUri !== undefined && !view.ended) {
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(view.preloadHintUri)}`);
  }
  for (const report of view.renditionReports) {
    lines.push(
      `#EXT-X-RENDITION-REPORT:${attributeList([
        ['URI', quoted(report.uri)],
        ['LAST-MSN', report.lastMsn],
        ['LAST-PART', report.lastPart],
      ])}`,
    );
  }
  if (view.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** The tags of a segment stand before its first part (rfc8216bis 4.4.4.9), its EXTINF and URI after the last. */
function pushSegment(lines: string[], segment: SegmentView, mapIsNew: boolean): void {
  if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (mapIsNew && segment.mapUri !== undefined) lines.push(`#EXT-X-MAP:URI=${quoted(segment.mapUri)}`);
  if (segment.programDateTimeMs !== undefined) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(segment.programDateTimeMs)).toISOString()}`);
  }
  for (const part of segment.parts) lines.push(partLine(part));
  if (!segment.complete) return;
  if (segment.gap) lines.push('#EXT-X-GAP');
  lines.push(`#EXTINF:${segment.durationS.toFixed(5)},`, segment.uri);
}

function partLine(part: PartView): string {
  return `#EXT-X-PART:${attributeList([
    ['DURATION', decimal(part.durationS)],
    ['URI', quoted(part.uri)],
    ['INDEPENDENT', part.independent ? 'YES' : undefined],
    ['GAP', part.gap ? 'YES' : undefined],
  ])}`;
}

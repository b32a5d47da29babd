import { quoted } from './attributes.ts';
import type { VodPlaylistView } from './playlist-view.ts';

/** Version 7: EXT-X-MAP of fragmented MP4, and what older players of such files demand. */
const protocolVersion = 7;

/** EXT-X-TARGETDURATION of segments: the longest, rounded to the nearest second (rfc8216bis 4.4.3.1). */
export function vodTargetDurationS(durationsS: readonly number[]): number {
  return durationsS.reduce((longest, durationS) => Math.max(longest, Math.round(durationS)), 1);
}

/** Renders the media playlist of something whole: EXT-X-PLAYLIST-TYPE VOD, every segment, EXT-X-ENDLIST. */
export function renderVodPlaylist(view: VodPlaylistView): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${protocolVersion}`,
    `#EXT-X-TARGETDURATION:${vodTargetDurationS(view.segments.map((segment) => segment.durationS))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
  ];
  if (view.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  let map: string | undefined;
  for (const { uri, durationS, mapUri } of view.segments) {
    if (mapUri !== undefined && mapUri !== map) lines.push(`#EXT-X-MAP:URI=${quoted(mapUri)}`);
    map = mapUri ?? map;
    lines.push(`#EXTINF:${durationS.toFixed(5)},`, uri);
  }
  return `${lines.join('\n')}\n#EXT-X-ENDLIST\n`;
}

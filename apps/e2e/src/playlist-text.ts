/** A reader of media playlists for tests, written from rfc8216bis alone: it shares no code with what renders them. */

export interface ListedPart {
  readonly uri: string;
  readonly durationS: number;
  readonly independent: boolean;
  readonly gap: boolean;
}

export interface ListedSegment {
  readonly number: number;
  /** Undefined while the segment is not complete. */
  readonly uri: string | undefined;
  readonly durationS: number | undefined;
  readonly parts: readonly ListedPart[];
  readonly discontinuity: boolean;
  readonly programDateTimeMs: number | undefined;
  readonly map: string | undefined;
  readonly gap: boolean;
}

export interface MediaPlaylist {
  readonly targetDurationS: number;
  readonly partTargetS: number | undefined;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number | undefined;
  readonly serverControl: Readonly<Record<string, string>>;
  readonly segments: readonly ListedSegment[];
  readonly preloadHint: string | undefined;
  readonly renditionReports: readonly Readonly<Record<string, string>>[];
  readonly independentSegments: boolean;
  readonly ended: boolean;
}

/** `A=1,B="x,y"` as a record; quotes are removed. */
export function readAttributes(text: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', quoted, plain = ''] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))/g)) {
    attributes[name] = quoted ?? plain;
  }
  return attributes;
}

/** Reads a media playlist; throws on a line it cannot place. */
export function readMediaPlaylist(text: string): MediaPlaylist {
  const lines = text.split('\n').map((line) => line.trim());
  if (lines[0] !== '#EXTM3U') throw new Error(`expected #EXTM3U, got "${lines[0]}"`);
  const playlist = {
    targetDurationS: Number.NaN,
    partTargetS: undefined as number | undefined,
    mediaSequence: 0,
    discontinuitySequence: undefined as number | undefined,
    serverControl: {} as Readonly<Record<string, string>>,
    segments: [] as ListedSegment[],
    preloadHint: undefined as string | undefined,
    renditionReports: [] as Readonly<Record<string, string>>[],
    independentSegments: false,
    ended: false,
  };
  let map: string | undefined;
  const nothing = () => ({
    parts: [] as ListedPart[],
    durationS: undefined as number | undefined,
    discontinuity: false,
    programDateTimeMs: undefined as number | undefined,
    gap: false,
  });
  let open = nothing();
  const close = (uri: string | undefined) => {
    playlist.segments.push({ ...open, uri, map, number: playlist.mediaSequence + playlist.segments.length });
    open = nothing();
  };
  for (const line of lines.slice(1)) {
    if (line === '') continue;
    if (!line.startsWith('#')) {
      close(line);
      continue;
    }
    const colon = line.indexOf(':');
    const tag = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    if (tag === '#EXT-X-TARGETDURATION') playlist.targetDurationS = Number(value);
    else if (tag === '#EXT-X-PART-INF') playlist.partTargetS = Number(readAttributes(value)['PART-TARGET']);
    else if (tag === '#EXT-X-MEDIA-SEQUENCE') playlist.mediaSequence = Number(value);
    else if (tag === '#EXT-X-DISCONTINUITY-SEQUENCE') playlist.discontinuitySequence = Number(value);
    else if (tag === '#EXT-X-SERVER-CONTROL') playlist.serverControl = readAttributes(value);
    else if (tag === '#EXT-X-INDEPENDENT-SEGMENTS') playlist.independentSegments = true;
    else if (tag === '#EXT-X-ENDLIST') playlist.ended = true;
    else if (tag === '#EXT-X-MAP') {
      if (open.parts.length > 0) throw new Error('EXT-X-MAP stands behind the first part of its segment');
      map = readAttributes(value)['URI'];
    } else if (tag === '#EXT-X-PROGRAM-DATE-TIME') {
      if (open.parts.length > 0) throw new Error('PROGRAM-DATE-TIME stands behind the first part of its segment');
      open.programDateTimeMs = Date.parse(value);
    } else if (tag === '#EXT-X-DISCONTINUITY') {
      if (open.parts.length > 0) throw new Error('DISCONTINUITY stands behind the first part of its segment');
      open.discontinuity = true;
    } else if (tag === '#EXT-X-GAP') open.gap = true;
    else if (tag === '#EXTINF') open.durationS = Number.parseFloat(value);
    else if (tag === '#EXT-X-PART') {
      const { URI = '', DURATION, INDEPENDENT, GAP } = readAttributes(value);
      open.parts.push({
        uri: URI,
        durationS: Number(DURATION),
        independent: INDEPENDENT === 'YES',
        gap: GAP === 'YES',
      });
    } else if (tag === '#EXT-X-PRELOAD-HINT') {
      const { TYPE, URI } = readAttributes(value);
      if (TYPE === 'PART') playlist.preloadHint = URI;
    } else if (tag === '#EXT-X-RENDITION-REPORT') playlist.renditionReports.push(readAttributes(value));
    else if (tag !== '#EXT-X-VERSION' && tag !== '#EXT-X-BITRATE' && tag !== '#EXT-X-SKIP') {
      throw new Error(`unknown line "${line}"`);
    }
  }
  if (open.parts.length > 0) close(undefined);
  return playlist;
}

/** Media sequence number and part index of what comes next, as `_HLS_msn` and `_HLS_part` ask for it. */
export function nextPart(playlist: MediaPlaylist): { readonly msn: number; readonly part: number } {
  const last = playlist.segments.at(-1);
  if (last === undefined) return { msn: playlist.mediaSequence, part: 0 };
  return last.uri === undefined ? { msn: last.number, part: last.parts.length } : { msn: last.number + 1, part: 0 };
}

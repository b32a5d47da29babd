/** A small reader of media playlists for tests, written apart from the renderer so that it cannot share its mistakes. */

export interface ReadPart {
  readonly uri: string;
  readonly durationS: number;
  readonly independent: boolean;
  readonly gap: boolean;
}

export interface ReadSegment {
  readonly number: number;
  /** undefined: only its parts are listed yet */
  readonly uri: string | undefined;
  readonly durationS: number | undefined;
  readonly discontinuity: boolean;
  readonly gap: boolean;
  /** The EXT-X-MAP that holds for it; `mapTag` is its own tag. */
  readonly mapUri: string | undefined;
  readonly mapTag: string | undefined;
  readonly programDateTimeMs: number | undefined;
  readonly parts: readonly ReadPart[];
}

export interface ReadPlaylist {
  readonly version: number;
  readonly targetDurationS: number;
  readonly partTargetS: number;
  readonly control: Readonly<Record<string, string>>;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly skipped: number;
  readonly segments: readonly ReadSegment[];
  readonly hints: readonly Readonly<Record<string, string>>[];
  readonly reports: readonly Readonly<Record<string, string>>[];
  readonly ended: boolean;
  /** Tags that stand more often than they may, or after what they must precede. */
  readonly disorder: readonly string[];
}

/** Splits an attribute list; quotes are taken off. */
export function readAttributes(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/([A-Z0-9-]+)=("([^"]*)"|[^,]*)/g)].map(([, name = '', value = '', inner]) => [
      name,
      inner ?? value,
    ]),
  );
}

/** Reads a media playlist, full or delta. */
export function readMediaPlaylist(text: string): ReadPlaylist {
  const once: Record<string, string> = {};
  const segments: ReadSegment[] = [];
  const hints: Readonly<Record<string, string>>[] = [];
  const reports: Readonly<Record<string, string>>[] = [];
  const disorder: string[] = [];
  const lines = text.split('\n');
  if (lines[0] !== '#EXTM3U') disorder.push('the first line is not #EXTM3U');
  if (lines.at(-1) !== '') disorder.push('the last line has no line end');
  let map: string | undefined;
  const blank = () => ({
    discontinuity: false,
    gap: false,
    mapTag: undefined as string | undefined,
    programDateTimeMs: undefined as number | undefined,
    durationS: undefined as number | undefined,
    parts: [] as ReadPart[],
  });
  let open = blank();
  const tags = ['#EXT-X-DISCONTINUITY', '#EXT-X-MAP', '#EXT-X-PROGRAM-DATE-TIME'];
  const number = () =>
    Number(once['#EXT-X-MEDIA-SEQUENCE']) +
    Number(readAttributes(once['#EXT-X-SKIP'] ?? '')['SKIPPED-SEGMENTS'] ?? 0) +
    segments.length;
  const close = (uri: string | undefined) => {
    segments.push({ number: number(), uri, mapUri: map, ...open });
    open = blank();
  };
  for (const line of lines.slice(1, -1)) {
    const [tag = '', value = ''] = split(line);
    if (open.parts.length > 0 && tags.includes(tag)) disorder.push(`${tag} after a part of its segment`);
    if (tag === '#EXT-X-DISCONTINUITY') open.discontinuity = true;
    else if (tag === '#EXT-X-GAP') open.gap = true;
    else if (tag === '#EXT-X-MAP') {
      map = readAttributes(value)['URI'];
      open.mapTag = map;
    } else if (tag === '#EXT-X-PROGRAM-DATE-TIME') open.programDateTimeMs = Date.parse(value);
    else if (tag === '#EXTINF') open.durationS = Number(value.replace(/,.*$/, ''));
    else if (tag === '#EXT-X-PART') {
      const { URI = '', DURATION = 'NaN', INDEPENDENT, GAP } = readAttributes(value);
      open.parts.push({
        uri: URI,
        durationS: Number(DURATION),
        independent: INDEPENDENT === 'YES',
        gap: GAP === 'YES',
      });
    } else if (tag === '#EXT-X-PRELOAD-HINT') hints.push(readAttributes(value));
    else if (tag === '#EXT-X-RENDITION-REPORT') reports.push(readAttributes(value));
    else if (!line.startsWith('#')) close(line);
    else {
      if (once[tag] !== undefined) disorder.push(`${tag} twice`);
      if (segments.length > 0 && tag !== '#EXT-X-ENDLIST') disorder.push(`${tag} after a segment`);
      once[tag] = value;
    }
  }
  if (open.parts.length > 0 || open.durationS !== undefined) close(undefined);
  return {
    version: Number(once['#EXT-X-VERSION']),
    targetDurationS: Number(once['#EXT-X-TARGETDURATION']),
    partTargetS: Number(readAttributes(once['#EXT-X-PART-INF'] ?? '')['PART-TARGET']),
    control: readAttributes(once['#EXT-X-SERVER-CONTROL'] ?? ''),
    mediaSequence: Number(once['#EXT-X-MEDIA-SEQUENCE']),
    discontinuitySequence: Number(once['#EXT-X-DISCONTINUITY-SEQUENCE']),
    skipped: Number(readAttributes(once['#EXT-X-SKIP'] ?? '')['SKIPPED-SEGMENTS'] ?? 0),
    segments,
    hints,
    reports,
    ended: '#EXT-X-ENDLIST' in once,
    disorder,
  };
}

function split(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 || !line.startsWith('#') ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
}

/**
 * What a client has after a delta update: the segments of its older full playlist in place of EXT-X-SKIP. Returns the full
 * playlist's text, or what is wrong.
 */
export function applyDelta(older: string, delta: string): string {
  const update = readMediaPlaylist(delta);
  if (update.skipped === 0) return delta;
  const old = readMediaPlaylist(older);
  const from = update.mediaSequence;
  const to = from + update.skipped;
  const isOld = (segment: ReadSegment) => segment.number >= from && segment.number < to && segment.uri !== undefined;
  const kept = old.segments.filter(isOld);
  if (kept.length !== update.skipped) throw new Error(`the older playlist lacks skipped segments ${from} to ${to - 1}`);
  // The older playlist may still list parts of what is skipped now: a client drops those (they are no longer listed).
  const lines = kept.flatMap((segment, i) => [
    ...(segment.discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(segment.mapTag !== undefined || i === 0 ? [`#EXT-X-MAP:URI="${segment.mapUri}"`] : []),
    ...(segment.programDateTimeMs === undefined
      ? []
      : [`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.programDateTimeMs).toISOString()}`]),
    ...(segment.gap ? ['#EXT-X-GAP'] : []),
    `#EXTINF:${segment.durationS?.toFixed(5)},`,
    segment.uri ?? '',
  ]);
  return delta.replace(/#EXT-X-SKIP:.*\n/, `${lines.join('\n')}\n`);
}

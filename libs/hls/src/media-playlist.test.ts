import fc from 'fast-check';
import * as HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { describe, expect, it } from 'vitest';
import { renderMediaPlaylist, skippableSegments } from './media-playlist.ts';
import { checkMediaPlaylist } from './playlist-checker.ts';
import { applyDelta, readMediaPlaylist } from './playlist-reader.ts';
import type { MediaPlaylistView, PartView, SegmentView } from './playlist-view.ts';

// It prints a warning for parts beyond the last three segments; the rule goes by time, and ours may be short.
HLS.setOptions({ silent: true });

const targetDurationS = 2;
const partTargetS = 0.216;

/** A history of segments as a packager would cut them: frames of a thirtieth, six to a part, the last one shorter. */
const historyArb = fc
  .array(
    fc.record({
      frames: fc.integer({ min: 30, max: 62 }),
      discontinuity: fc.boolean(),
      newCodec: fc.boolean(),
      gap: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 24 },
  )
  .chain((segments) =>
    fc.record({
      segments: fc.constant(segments),
      first: fc.integer({ min: 0, max: 2 ** 31 }),
      openParts: fc.integer({ min: 0, max: 4 }),
      ended: fc.boolean(),
    }),
  );

type History = typeof historyArb extends fc.Arbitrary<infer T> ? T : never;

function segmentOf(entry: History['segments'][number], number: number, startFrame: number, map: number): SegmentView {
  const parts: PartView[] = [];
  for (let frame = 0; frame < entry.frames; frame += 6) {
    const frames = Math.min(6, entry.frames - frame);
    parts.push({ uri: `v/w-${number}.${parts.length}.m4s`, durationS: frames / 30, independent: frame === 0 });
  }
  return {
    uri: `v/w-${number}.m4s`,
    durationS: entry.frames / 30,
    complete: true,
    gap: entry.gap,
    discontinuity: entry.discontinuity,
    programDateTimeMs: 1_700_000_000_000 + Math.round((startFrame / 30) * 1000),
    mapUri: `v/w-init${map}.mp4`,
    parts: entry.gap ? [] : parts,
  };
}

/** Plays a history: the playlist after each segment, with 8 segments listed and parts within three target durations. */
function playlistsOf(history: History): MediaPlaylistView[] {
  const all: SegmentView[] = [];
  let frame = 0;
  let map = 0;
  return history.segments.map((given, index) => {
    const entry = { ...given, discontinuity: given.discontinuity && index > 0 };
    if (entry.discontinuity && entry.newCodec) map++;
    all.push(segmentOf(entry, history.first + index, frame, map));
    frame += entry.frames;
    const isLast = index === history.segments.length - 1;
    const listed = all.slice(-8);
    const openNumber = history.first + index + 1;
    const coming = history.segments[index + 1] ?? { frames: 60, discontinuity: false, newCodec: false, gap: false };
    const open = segmentOf(coming, openNumber, frame, map + (coming.discontinuity && coming.newCodec ? 1 : 0));
    const openParts = open.parts.slice(0, history.openParts);
    const segments = [
      ...listed,
      ...(openParts.length > 0 && !(isLast && history.ended)
        ? [{ ...open, complete: false, parts: openParts, durationS: openParts.length * 0.2 }]
        : []),
    ];
    let afterS = 0;
    const withParts = [...segments].reverse().map((segment) => {
      const keep = afterS <= 3 * targetDurationS;
      afterS += segment.durationS;
      return keep ? segment : { ...segment, parts: [] };
    });
    return {
      targetDurationS,
      partTargetS,
      mediaSequence: history.first + all.length - listed.length,
      discontinuitySequence: all.slice(0, all.length - listed.length).filter((segment) => segment.discontinuity).length,
      segments: withParts.reverse(),
      preloadHintUri: `v/w-${openNumber}.${openParts.length}.m4s`,
      renditionReports: [{ uri: '../audio/index.m3u8', lastMsn: openNumber, lastPart: 1 }],
      ended: isLast && history.ended,
      independentSegments: false,
    };
  });
}

const view = (change: Partial<MediaPlaylistView> = {}): MediaPlaylistView => ({
  targetDurationS: 2,
  partTargetS: 0.216,
  mediaSequence: 7,
  discontinuitySequence: 0,
  segments: [
    {
      uri: 'v/7.m4s',
      durationS: 0.4,
      complete: true,
      gap: false,
      discontinuity: false,
      programDateTimeMs: 1_700_000_000_123,
      mapUri: 'v/init.mp4',
      parts: [
        { uri: 'v/7.0.m4s', durationS: 0.2, independent: true },
        { uri: 'v/7.1.m4s', durationS: 0.2, independent: false },
      ],
    },
  ],
  preloadHintUri: 'v/8.0.m4s',
  renditionReports: [{ uri: '../audio/index.m3u8', lastMsn: 7, lastPart: 1 }],
  ended: false,
  independentSegments: false,
  ...change,
});

describe('a media playlist', () => {
  it('is rendered tag by tag as rfc8216bis has it', () => {
    expect(renderMediaPlaylist(view())).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.648,HOLD-BACK=6,CAN-SKIP-UNTIL=12
#EXT-X-PART-INF:PART-TARGET=0.216
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="v/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z
#EXT-X-PART:DURATION=0.2,URI="v/7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI="v/7.1.m4s"
#EXTINF:0.40000,
v/7.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v/8.0.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=7,LAST-PART=1
`);
  });

  it('ends with ENDLIST and hints at nothing when the broadcast is over', () => {
    const text = renderMediaPlaylist(view({ ended: true }));
    expect(text).toMatch(/#EXT-X-ENDLIST\n$/);
    expect(text).not.toContain('PRELOAD-HINT');
  });

  it('claims independent segments only when told so', () => {
    expect(renderMediaPlaylist(view())).not.toContain('INDEPENDENT-SEGMENTS');
    expect(renderMediaPlaylist(view({ independentSegments: true }))).toContain('#EXT-X-INDEPENDENT-SEGMENTS\n');
  });

  it('never declares a part target below the one that was given, whatever its decimals', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 4, noNaN: true }), (partTargetS) => {
        const read = readMediaPlaylist(renderMediaPlaylist(view({ partTargetS })));
        expect(read.partTargetS).toBeGreaterThanOrEqual(partTargetS - 1e-9);
        expect(read.partTargetS).toBeLessThan(partTargetS + 2e-5);
        expect(Number(read.control['PART-HOLD-BACK'])).toBeGreaterThanOrEqual(3 * read.partTargetS - 1e-5);
      }),
    );
  });

  it('refuses a URI that would break out of its quotes', () => {
    expect(() => renderMediaPlaylist(view({ preloadHintUri: 'a"b' }))).toThrow('quoted-string');
  });
});

describe('any history of a window', () => {
  it('keeps every rule of LL-HLS, from each playlist to the next', () => {
    fc.assert(
      fc.property(historyArb, (history) => {
        let previous: string | undefined;
        for (const playlist of playlistsOf(history)) {
          const text = renderMediaPlaylist(playlist);
          expect(checkMediaPlaylist(text, previous)).toEqual([]);
          previous = text;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is read by hls-parser and m3u8-parser as it was meant', () => {
    fc.assert(
      fc.property(historyArb, (history) => {
        const playlist = playlistsOf(history).at(-1);
        if (playlist === undefined) return;
        const text = renderMediaPlaylist(playlist);
        const complete = playlist.segments.filter((segment) => segment.complete);
        const parsed = HLS.parse(text) as HLS.types.MediaPlaylist;
        const withUri = parsed.segments.filter((segment) => segment.uri !== '');
        expect(withUri.map((segment) => segment.uri)).toEqual(complete.map((segment) => segment.uri));
        expect(parsed.mediaSequenceBase).toBe(playlist.mediaSequence);
        expect(parsed.partTargetDuration).toBe(0.216);
        expect(parsed.endlist).toBe(playlist.ended);
        const parser = new Parser();
        const warnings: string[] = [];
        parser.on('warn', ({ message }) => warnings.push(message));
        parser.push(text);
        parser.end();
        expect(warnings).toEqual([]);
        const own = parser.manifest.segments.filter((segment) => segment.uri !== undefined);
        expect(own.map((segment) => segment.uri)).toEqual(complete.map((segment) => segment.uri));
        expect(own.map((segment) => segment.parts?.length ?? 0)).toEqual(
          complete.map((segment) => segment.parts.length),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is the same by a delta update and the playlist before it as by the full playlist', () => {
    let deltas = 0;
    fc.assert(
      fc.property(historyArb, (history) => {
        let previous: string | undefined;
        for (const playlist of playlistsOf(history)) {
          const full = renderMediaPlaylist(playlist);
          const delta = renderMediaPlaylist(playlist, { skip: true });
          if (previous !== undefined && delta !== full) {
            deltas++;
            expect(applyDelta(previous, delta)).toBe(full);
            expect(checkMediaPlaylist(delta, previous)).toEqual([]);
          }
          previous = full;
        }
      }),
      { numRuns: 60 },
    );
    expect(deltas).toBeGreaterThan(0);
  });
});

describe('a delta update', () => {
  const many = (count: number) =>
    view({
      segments: Array.from({ length: count }, (_, i) => ({
        uri: `v/${i}.m4s`,
        durationS: 2,
        complete: true,
        gap: false,
        discontinuity: false,
        programDateTimeMs: undefined,
        mapUri: 'v/init.mp4',
        parts: [],
      })),
    });

  it('skips only segments that end more than six target durations before the end', () => {
    expect(skippableSegments(many(7))).toBe(0);
    expect(skippableSegments(many(8))).toBe(1);
    expect(skippableSegments(many(20))).toBe(13);
    expect(renderMediaPlaylist(many(20), { skip: true })).toContain(
      '#EXT-X-SKIP:SKIPPED-SEGMENTS=13\n#EXTINF:2.00000,\nv/13.m4s',
    );
  });

  it('is the whole playlist when nothing is old enough or the playlist has ended', () => {
    expect(renderMediaPlaylist(many(7), { skip: true })).toBe(renderMediaPlaylist(many(7)));
    const ended = { ...many(20), ended: true };
    expect(renderMediaPlaylist(ended, { skip: true })).toBe(renderMediaPlaylist(ended));
  });
});

describe('the checker', () => {
  const good = renderMediaPlaylist(view());
  it.each([
    ['a part over the part target', good.replace('DURATION=0.2,URI="v/7.0', 'DURATION=0.22,URI="v/7.0')],
    ['parts that do not sum to their segment', good.replace('#EXTINF:0.40000', '#EXTINF:0.41000')],
    ['a hold-back below three parts', good.replace('PART-HOLD-BACK=0.648', 'PART-HOLD-BACK=0.54')],
    ['a segment without a map', good.replace(/#EXT-X-MAP.*\n/, '')],
    ['a date after the first part', good.replace(/(#EXT-X-PROGRAM.*\n)(#EXT-X-PART.*\n)/, '$2$1')],
    ['no preload hint', good.replace(/#EXT-X-PRELOAD.*\n/, '')],
    ['a target that is exceeded', good.replace('#EXTINF:0.40000', '#EXTINF:2.60000')],
  ])('finds %s', (_, text) => {
    expect(text).not.toBe(good);
    expect(checkMediaPlaylist(text)).not.toEqual([]);
  });

  it('finds numbers that go back and segments that vanish or change', () => {
    expect(checkMediaPlaylist(good.replace('SEQUENCE:7', 'SEQUENCE:6'), good)).not.toEqual([]);
    expect(checkMediaPlaylist(good.replaceAll('v/7.m4s', 'v/x.m4s'), good)).toContain(
      'segment 7 changed after it was complete',
    );
    expect(checkMediaPlaylist(good.replace(/#EXTINF[^#]*/, ''), good)).not.toEqual([]);
  });
});

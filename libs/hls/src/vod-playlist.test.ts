import fc from 'fast-check';
import * as HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { describe, expect, it } from 'vitest';
import { segmentBitRates } from './bit-rates.ts';
import { renderMultivariantPlaylist } from './multivariant-playlist.ts';
import { renderVodPlaylist } from './vod-playlist.ts';

const segment = fc.record({
  uri: fc.stringMatching(/^s[0-9]{1,9}\.m4s$/),
  durationS: fc.double({ min: 0.001, max: 30, noNaN: true }),
  mapUri: fc.constantFrom('init-a.mp4', 'init-a.mp4', 'init-b.mp4'),
});
const segments = fc.array(segment, { minLength: 1, maxLength: 40 });

describe('a playlist of a whole video', () => {
  it('gives two other parsers every segment with its init section, in order, under the target duration', () => {
    fc.assert(
      fc.property(segments, (given) => {
        const text = renderVodPlaylist({ segments: given, independentSegments: true });
        const parsed = HLS.parse(text) as HLS.types.MediaPlaylist;
        expect(parsed).toMatchObject({ endlist: true, playlistType: 'VOD', independentSegments: true });
        const seen = parsed.segments.map(({ uri, duration, map }) => ({ uri, durationS: duration, mapUri: map?.uri }));
        expect(seen).toEqual(given.map((one) => ({ ...one, durationS: Number(one.durationS.toFixed(5)) })));
        for (const { duration } of parsed.segments)
          expect(Math.round(duration)).toBeLessThanOrEqual(parsed.targetDuration);
        const other = new Parser();
        const warnings: string[] = [];
        other.on('warn', ({ message }) => warnings.push(message));
        other.push(text);
        other.end();
        expect(warnings).toEqual([]);
        expect(other.manifest.endList).toBe(true);
        expect(other.manifest.segments.map((one) => one.uri)).toEqual(given.map((one) => one.uri));
      }),
    );
  });

  it('of captions has no init sections', () => {
    const text = renderVodPlaylist({ segments: [{ uri: '0.vtt', durationS: 9.6 }], independentSegments: false });
    expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:9.60000,
0.vtt
#EXT-X-ENDLIST
`);
  });
});

it('subtitles are a group of their own that every variant names', () => {
  const text = renderMultivariantPlaylist({
    variants: [
      { uri: 'v', bandwidthBps: 2, averageBandwidthBps: 1, codecs: ['avc1.64001f'], subtitlesGroup: 'subtitles' },
    ],
    audio: [],
    subtitles: [{ group: 'subtitles', name: 'English', uri: 's', language: 'en', isDefault: false }],
    independentSegments: true,
  });
  const parsed = HLS.parse(text) as HLS.types.MasterPlaylist;
  expect(parsed.variants[0]?.subtitles).toMatchObject([
    { uri: 's', language: 'en', name: 'English', isDefault: false },
  ]);
});

describe('bit rates', () => {
  const measured = fc.record({ durationS: fc.double({ min: 0.02, max: 8, noNaN: true }), bytes: fc.nat(5_000_000) });

  it('lie between the thinnest and the densest segment, the peak at or above the average', () => {
    fc.assert(
      fc.property(fc.array(measured, { minLength: 1, maxLength: 60 }), (given) => {
        const { peakBps, averageBps } = segmentBitRates(given);
        const rates = given.map((one) => (one.bytes * 8) / one.durationS);
        expect(averageBps).toBeGreaterThanOrEqual(Math.min(...rates) * 0.999_999);
        expect(peakBps).toBeGreaterThanOrEqual(averageBps);
        expect(peakBps).toBeLessThanOrEqual(Math.max(...rates) * 1.000_001);
      }),
    );
  });

  it('count no sliver alone, and every segment of the usual length', () => {
    expect(
      segmentBitRates([
        { durationS: 4, bytes: 500_000 },
        { durationS: 0.1, bytes: 500_000 },
      ]).peakBps,
    ).toBeCloseTo(8e6 / 4.1);
    expect(
      segmentBitRates([
        { durationS: 4, bytes: 500_000 },
        { durationS: 4, bytes: 1_000_000 },
      ]),
    ).toEqual({ peakBps: 2e6, averageBps: 1.5e6 });
    expect(segmentBitRates([])).toEqual({ peakBps: 0, averageBps: 0 });
  });
});

import fc from 'fast-check';
import { parse } from 'mpd-parser';
import { expect, it } from 'vitest';
import type { DashPresentation, DashSegment } from './presentation-view.ts';
import { renderPresentation } from './render-presentation.ts';

const lengths = fc.array(fc.oneof(fc.constant(120_000), fc.integer({ min: 1, max: 400_000 })), {
  minLength: 1,
  maxLength: 40,
});
const timelineOf = (durations: readonly number[], first: number): DashSegment[] => {
  let at = first;
  return durations.map((durationTicks) => {
    at += durationTicks;
    return { startTicks: at - durationTicks, durationTicks };
  });
};
const presentation = fc
  .record({ lines: fc.uniqueArray(fc.constantFrom(240, 480, 720), { minLength: 1 }), lengths, audio: fc.boolean() })
  .map(({ lines, lengths: durations, audio }): DashPresentation => {
    const segments = timelineOf(durations, 0);
    return {
      durationMs: Math.ceil(durations.reduce((sum, one) => sum + one, 0) / 30),
      video: lines.map((height) => ({
        ...{ id: `video-${height}p`, bandwidthBps: height * 1_000, codec: 'avc1.64001f', timescale: 30_000, segments },
        ...{ initUri: `a/video-${height}p/init-1.mp4`, mediaUri: `a/video-${height}p/s$Time$.m4s` },
        ...{ width: height * 2, height, frameRate: { num: 30_000, den: 1_001 } },
      })),
      audio: audio
        ? [
            {
              ...{
                id: 'audio',
                bandwidthBps: 128_000,
                codec: 'mp4a.40.2',
                timescale: 48_000,
                sampleRate: 48_000,
                channels: 2,
              },
              ...{ segments, initUri: 'a/audio/init-1.mp4', mediaUri: 'a/audio/s$Time$.m4s' },
            },
          ]
        : [],
      captions: [{ id: 'subtitles-en', language: 'en', name: 'English <"&\'>', uri: 'a/subtitles-en.vtt' }],
    };
  });

it('another parser finds every segment of every track by name and time', () => {
  fc.assert(
    fc.property(presentation, (view) => {
      const warnings: string[] = [];
      const text = renderPresentation(view);
      const parsed = parse(text, {
        manifestUri: 'http://x/v/index.mpd',
        eventHandler: ({ message }) => warnings.push(message),
      });
      expect(parsed.duration).toBeCloseTo(view.durationMs / 1_000, 2);
      expect(parsed.playlists.length).toBe(view.video.length);
      const audio = Object.values(parsed.mediaGroups.AUDIO['audio'] ?? {}).flatMap((group) => group.playlists);
      expect(audio.length).toBe(view.audio.length);
      for (const track of [...view.video, ...view.audio]) {
        const found = [...parsed.playlists, ...audio].find((one) => one.attributes['NAME'] === track.id);
        const seen = found?.segments.map((segment) => [
          segment.uri,
          Math.round(segment.duration * track.timescale),
          segment.map?.uri,
        ]);
        expect(seen).toEqual(
          track.segments.map((one) => [
            track.mediaUri.replace('$Time$', String(one.startTicks)),
            one.durationTicks,
            track.initUri,
          ]),
        );
        expect(found?.endList).toBe(true);
        expect(found?.attributes).toMatchObject({ BANDWIDTH: Math.ceil(track.bandwidthBps), CODECS: track.codec });
      }
      const captions = Object.values(parsed.mediaGroups.SUBTITLES['subs'] ?? {});
      expect(captions.map((one) => one.language)).toEqual(['en']);
      expect(captions[0]?.playlists[0]?.segments[0]?.uri).toBe('http://x/v/a/subtitles-en.vtt');
      expect(warnings).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

it('segments of one length are written once, a gap in time where it is', () => {
  const segments = [...timelineOf([4, 4, 4], 0), ...timelineOf([4, 2], 20)];
  const [track] = fc.sample(presentation, 1)[0]?.video ?? [];
  if (track === undefined) throw new Error('no track');
  const text = renderPresentation({ durationMs: 26, video: [{ ...track, segments }], audio: [], captions: [] });
  expect(text).toContain('<SegmentTimeline><S t="0" d="4" r="2"/><S t="20" d="4"/><S d="2"/></SegmentTimeline>');
});

it('whatever a caption is called, the presentation stays well-formed', () => {
  // the parser keeps captions in a plain object, which has some names already
  const names = fc.string({ unit: 'binary', maxLength: 40 }).filter((name) => !(name in {}));
  fc.assert(
    fc.property(names, (name) => {
      const captions = [{ id: 'c', language: 'en', name, uri: 'c.vtt' }];
      const text = renderPresentation({ durationMs: 1, video: [], audio: [], captions });
      const parsed = parse(text.replace('</Period>', `${videoSet}</Period>`), { manifestUri: 'http://x/' });
      expect(parsed.playlists.length).toBe(1);
    }),
    { numRuns: 100 },
  );
});

const videoSet =
  '<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1"><SegmentTemplate timescale="1" media="s$Time$" initialization="i"><SegmentTimeline><S t="0" d="1"/></SegmentTimeline></SegmentTemplate></Representation></AdaptationSet>';

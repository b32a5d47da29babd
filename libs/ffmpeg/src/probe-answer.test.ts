import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readProbe } from './probe-answer.ts';

const format = { format_name: 'matroska,webm', start_time: '0.500', duration: '12.345', size: '1000', nb_streams: 2 };
const picture = {
  ...{ index: 0, codec_type: 'video', codec_name: 'h264', width: 1920, height: 1080, pix_fmt: 'yuv420p' },
  ...{ avg_frame_rate: '30000/1001', r_frame_rate: '60/1', sample_aspect_ratio: '1:1', disposition: { default: 1 } },
};
const read = (...streams: readonly unknown[]) => readProbe(JSON.stringify({ format, streams }));

it('a file that says everything is read as it says', () => {
  const sound = {
    index: 1,
    codec_type: 'audio',
    codec_name: 'aac',
    channels: 6,
    sample_rate: '48000',
    tags: { language: 'deu' },
  };
  expect(read(picture, sound)).toMatchObject({
    ...{ format: 'matroska,webm', startMs: 500, durationMs: 12_345, sizeBytes: 1_000, streams: 2 },
    video: { index: 0, width: 1920, height: 1080, rotation: 0, averageRate: 30_000 / 1_001, finestRate: 60 },
    audio: { index: 1, channels: 6, sampleRate: 48_000, language: 'deu' },
  });
});

it('a phone held upright gives an upright size, by display matrix or by tag', () => {
  for (const turned of [{ side_data_list: [{ rotation: -90 }] }, { tags: { rotate: '90' } }]) {
    expect(read({ ...picture, ...turned })?.video).toMatchObject({
      width: 1080,
      height: 1920,
      rotation: 90,
      codedWidth: 1920,
    });
  }
  expect(read({ ...picture, side_data_list: [{ rotation: 180 }] })?.video).toMatchObject({
    width: 1920,
    rotation: 180,
  });
});

it('pixels that are not square widen or narrow what is shown, within reason', () => {
  expect(read({ ...picture, width: 1440, sample_aspect_ratio: '4:3' })?.video).toMatchObject({
    width: 1920,
    codedWidth: 1440,
  });
  expect(read({ ...picture, sample_aspect_ratio: '900:1' })?.video?.width).toBe(1920);
  expect(read({ ...picture, sample_aspect_ratio: '0:1' })?.video?.width).toBe(1920);
});

it('a cover is no video, and of several tracks the default one is taken', () => {
  const cover = { ...picture, codec_name: 'mjpeg', disposition: { attached_pic: 1, default: 1 } };
  expect(read(cover)?.video).toBeUndefined();
  const other = { ...picture, index: 3, disposition: { default: 0 } };
  expect(read(other, picture)?.video?.index).toBe(0);
  expect(read(other)?.video?.index).toBe(3);
});

it('whatever a file makes ffprobe say is read or refused, and never throws', () => {
  const wild = fc.record({
    format: fc.dictionary(fc.constantFrom(...Object.keys(format)), fc.jsonValue()),
    streams: fc.jsonValue(),
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        wild.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        readProbe(text);
      },
    ),
  );
  const field = fc.constantFrom(...Object.keys(picture), 'tags', 'side_data_list', 'channels', 'sample_rate');
  fc.assert(
    fc.property(fc.dictionary(field, fc.jsonValue()), fc.constantFrom('video', 'audio'), (stream, kind) => {
      const video = read({ ...stream, codec_type: kind, codec_name: 'x' })?.video;
      if (video === undefined) return;
      for (const value of [video.width, video.height, video.averageRate, video.rotation])
        expect(Number.isFinite(value)).toBe(true);
    }),
  );
});

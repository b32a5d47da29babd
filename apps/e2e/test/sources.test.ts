import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FfmpegPush, pushWithFfmpeg } from '../src/publishers.ts';
import type { RestClient } from '../src/rest-client.ts';
import { decodeWithFfmpeg } from '../src/second-player.ts';
import { followStream } from '../src/stream-follower.ts';
import { startTarget, type Target } from '../src/target.ts';
import { parseWithMp4box, timeBreaks } from '../src/third-parsers.ts';

describe('what encoders send', () => {
  let server: Target;
  let api: RestClient;
  beforeAll(async () => {
    server = await startTarget();
    api = await server.signIn();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const small = { size: '320x180', fps: 30, gopS: 1 };
  const cases: readonly [string, Omit<FfmpegPush, 'url'>, readonly string[]][] = [
    ['H.264 with B-frames and AAC', { video: { ...small, bframes: 3, gopS: 2 } }, ['audio', 'video']],
    ['video without audio', { video: small, audio: false }, ['video']],
    ['audio without video', { audio: { sampleRate: 44_100 } }, ['audio']],
    ['24 frames a second', { video: { ...small, fps: 24 } }, ['audio', 'video']],
    ['29.97 frames a second at standard latency', { video: { ...small, fps: 29.97 } }, ['audio', 'video']],
  ];

  it.concurrent.each(cases)(
    '%s: is listed by the rules, parsed by mp4box and decoded by ffmpeg',
    async (title, push, names) => {
      const latencyMode = title.includes('standard') ? 'standard' : 'low';
      const stream = await api.createStream(title, { latencyMode });
      await using encoder = pushWithFfmpeg({ url: server.publishUrl(stream), ...push });
      await using followed = await followStream(server.hlsUrl(stream), 45_000);
      const { warnings, videoFrames } = await decodeWithFfmpeg(server.hlsUrl(stream), 5);
      await followed.stop();
      expect(encoder.running).toBe(true);
      expect(warnings).toEqual([]);
      if (names.includes('video')) expect(videoFrames).toBeGreaterThan(60);
      expect(followed.mistakes()).toEqual([]);
      expect(followed.renditions.map(({ name }) => name).sort()).toEqual(names);
      for (const { inits, parts, playlists } of followed.renditions) {
        expect(playlists.at(-1)?.partTargetS).toBeCloseTo(latencyMode === 'low' ? 0.216 : 0.36, 1);
        const [init] = inits.values();
        expect(timeBreaks(parseWithMp4box(init ?? new Uint8Array(), [...parts.values()]).fragments)).toEqual([]);
      }
    },
    120_000,
  );
});

import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EdgeKit, openEdgeKit } from '../../test/edge-kit.ts';
import { openVideoKit, type VideoKit } from '../../test/video-kit.ts';

let edge: EdgeKit;
let kit: VideoKit;
beforeEach(async () => {
  kit = await openVideoKit({}, async (env) => (edge = await openEdgeKit(env)));
});
afterEach(() => kit[Symbol.asyncDispose]());

it('an edge plays videos out of the store that it shares with workers, and counts who watches, without asking an origin', async () => {
  const { url, asset } = await kit.video();
  const playlist = await (await fetch(`${url}/index.m3u8`)).text();
  const media = new URL(/^(s\/.*)$/m.exec(playlist)?.[1] ?? '', `${url}/index.m3u8`);
  expect((await fetch(media)).status).toBe(200);
  expect(await (await fetch(`${url}/${asset}/audio/init.mp4`)).text()).toBe('ftyp-audio');
  expect(await edge.edgeMetric('millrace_delivery_audience_viewers')).toBe(1);
  expect(await edge.edgeMetric('millrace_delivery_upstream_requests_total')).toBe(0);
});

it('an edge asks for the playback token of a private video, and knows a deleted one no more', async () => {
  const video = await kit.video({ visibility: 'private' });
  expect((await fetch(`${video.url}/index.m3u8`)).status).toBe(403);
  const own = `${video.url}/${await kit.token(video.playbackId)}/index.m3u8`;
  expect((await fetch(own)).status).toBe(200);
  await kit.remove(video);
  expect((await fetch(own)).status).toBe(404);
});

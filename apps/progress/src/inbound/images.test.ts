import type { AsyncTaskResponse, Image, ImageHistory, ImagePage, Video, VideoStatusResponse } from '@millrace/api';
import { imagesTopic, videosTopic } from '@millrace/events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ImageRig, openImageRig, pngHeader } from '../testing/image-rig.ts';

let rig: ImageRig;
beforeAll(async () => {
  rig = await openImageRig();
});
afterAll(async () => rig[Symbol.asyncDispose]());

it('an image becomes a video that plays, and every change of its status is in its history', async () => {
  const uploaded = await rig.upload('sunset.png');
  expect([uploaded.status, uploaded.headers.get('location')]).toEqual([201, '/api/v1/images/sunset.png']);
  const image = (await uploaded.json()) as Image;
  expect(image).toMatchObject({ has_video: false, video_status: 'none', width: 640, content_type: 'image/png' });

  const asked = await rig.call<AsyncTaskResponse>('POST', '/api/v1/images/sunset.png/video', { duration_ms: 1_000 });
  expect(asked.status).toBe(202);
  expect(asked.headers.get('location')).toBe('/api/v1/images/sunset.png/video');
  expect(await rig.status('sunset.png')).toMatchObject({ video_status: 'pending', task_id: asked.body.task_id });
  const task = await rig.lease();
  expect(task.spec).toMatchObject({ kind: 'animate', motion: 'ken-burns', duration_ms: 1_000, orientation: 1 });
  expect(await rig.status('sunset.png')).toMatchObject({ video_status: 'processing', has_video: false });
  await rig.done(task);

  const status = await rig.status('sunset.png');
  expect(status).toMatchObject({
    has_video: true,
    video_status: 'completed',
    video_filename: 'sunset.mp4',
    progress: 100,
  });
  const has = await rig.call('GET', '/api/v1/images/sunset.png/has_video');
  expect(has.body).toEqual({ img_name: 'sunset.png', has_video: true });
  const video = await rig.call<Video>('GET', `/api/v1/videos/${status.video_id}`);
  expect(video.body).toMatchObject({ origin: 'image', status: 'completed', title: 'sunset.png' });
  expect(video.body.playback?.hls_url).toBe(status.video_url);
  expect(video.body.playback?.file_url).toMatch(/video\.mp4$/);
  const history = await rig.call<ImageHistory>('GET', '/api/v1/images/sunset.png/history');
  expect(history.body.items.map(({ from, to }) => [from, to])).toEqual([
    ['processing', 'completed'],
    ['pending', 'processing'],
    ['none', 'pending'],
  ]);
});

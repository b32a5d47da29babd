import type { AsyncTaskResponse, Image, ImageHistory, ImagePage, Video, VideoStatusResponse } from '@millrace/api';
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

it('a run is refused while another is active, replaced by force, and cancelled back to what was before', async () => {
  await rig.upload('again.png');
  const ask = (force = false) => rig.call<AsyncTaskResponse>('POST', '/api/v1/images/again.png/video', { force });
  const cancel = () => rig.call<VideoStatusResponse>('POST', '/api/v1/images/again.png/video/cancel');
  expect((await cancel()).status).toBe(409);
  const first = await ask();
  expect(await ask()).toMatchObject({ status: 409, body: { task_id: first.body.task_id } });
  expect(await cancel()).toMatchObject({ status: 202, body: { video_status: 'none', task_id: null } });

  await ask();
  await rig.done(await rig.lease());
  const before = await rig.status('again.png');
  await ask();
  const running = await rig.lease();
  const forced = await ask(true);
  expect(await rig.status('again.png')).toMatchObject({ video_status: 'pending', task_id: forced.body.task_id });
  await rig.stopped(running);
  await rig.fail(await rig.lease(), 'too dark');
  expect(await rig.status('again.png')).toMatchObject({ video_status: 'failed', error: 'too dark', has_video: true });
  await ask();
  expect((await cancel()).body).toMatchObject({ video_status: 'failed', error: 'too dark', video_id: before.video_id });

  await ask();
  await rig.done(await rig.lease());
  const replaced = await rig.status('again.png');
  expect(replaced).toMatchObject({ video_status: 'completed', video_url: before.video_url, error: null });
  expect((await rig.call('DELETE', `/api/v1/videos/${before.video_id}`)).status).toBe(204);
  expect(await rig.status('again.png')).toMatchObject({ video_status: 'none', has_video: false, video_id: null });
});

it('what is no picture, too large, taken or somebody else’s is refused', async () => {
  expect((await rig.upload('p.png', new TextEncoder().encode('no picture at all'))).status).toBe(422);
  expect((await rig.upload('p.png', pngHeader(60_000, 60_000))).status).toBe(422);
  expect((await rig.upload('.hidden')).status).toBe(400);
  const url = { img_name: 'by-url', url: 'http://127.0.0.1/x.png' };
  expect(await rig.call('POST', '/api/v1/images', url)).toMatchObject({ status: 422 });
  expect(await rig.call('POST', '/api/v1/images', { img_name: 'named' })).toMatchObject({ status: 201 });
  expect(await rig.call('POST', '/api/v1/images/named/video', {})).toMatchObject({ status: 409 });
  expect((await rig.upload('named')).status).toBe(201);
  expect((await rig.upload('named')).status).toBe(409);
  const { token } = await rig.progress.tokenOf('broadcaster');
  expect(await rig.progress.call('GET', '/api/v1/images/named/has_video', { token })).toMatchObject({ status: 404 });
  const batch = { img_names: ['named', 'nobody'] };
  expect(await rig.call('POST', '/api/v1/images/video-status', batch)).toMatchObject({
    body: { items: [{ img_name: 'named', video_status: 'none' }], unknown: ['nobody'] },
  });
  const page = await rig.call<ImagePage>('GET', '/api/v1/images?limit=1&name=n');
  expect(page.body.items.map((image) => image.img_name)).toEqual(['named']);
  expect((await rig.call('DELETE', '/api/v1/images/named')).status).toBe(204);
  expect((await rig.call('GET', '/api/v1/images/named')).status).toBe(404);
});

/** Pictures from a real HTTP server on loopback, which is allowed here and nowhere else. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Image } from '@millrace/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ImageRig, openImageRig, pngHeader } from '../testing/image-rig.ts';

let answer: RequestListener;
const server = createServer((request, response) => answer(request, response));
let origin: string;
let rig: ImageRig;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rig = await openImageRig({ settings: { PROGRESS_ALLOW_NETWORKS: ['127.0.0.1'], PROGRESS_MAX_IMAGE_BYTES: 10_000 } });
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const picture = pngHeader(640, 480);
const settled = { timeout: 30_000, interval: 20 };
const register = (imgName: string, url = `${origin}/a.png?token=secret`) =>
  rig.call<Image & { detail?: string }>('POST', '/api/v1/images', { img_name: imgName, url });
const get = async (imgName: string) => (await rig.call<Image>('GET', `/api/v1/images/${imgName}`)).body;

it('a picture from a URL is answered for at once, fetched behind it, and is one like any other', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  answer = (_, response) => void held.then(() => response.setHeader('content-type', 'text/html').end(picture));
  const asked = await register('far.png');
  expect([asked.status, asked.headers.get('location')]).toEqual([202, '/api/v1/images/far.png']);
  expect(asked.body).toMatchObject({ picture_state: 'importing', image_url: null, video_status: 'none' });
  // while it is on its way: no video of it, no second fetch, and what is asked of images has its answers
  const early = await rig.call('POST', '/api/v1/images/far.png/video', {});
  expect(early).toMatchObject({ status: 409, body: { detail: expect.stringContaining('being fetched') } });
  expect((await register('far.png')).status).toBe(409);
  const has = await rig.call('GET', '/api/v1/images/far.png/has_video');
  expect(has.body).toEqual({ img_name: 'far.png', has_video: false });
  go();
  await expect.poll(async () => (await get('far.png')).picture_state, settled).toBe('ready');
  const image = await get('far.png');
  expect(image).toMatchObject({
    width: 640,
    content_type: 'image/png',
    size_bytes: picture.length,
    picture_error: null,
  });
  expect(JSON.stringify(image)).not.toContain('secret');
  const headers = { authorization: `Bearer ${rig.token}` };
  const shown = await rig.progress.service.fetch(new Request(image.image_url ?? '', { headers }));
  expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
  expect(Buffer.from(await shown.arrayBuffer()).equals(picture)).toBe(true);
  expect((await rig.call('POST', '/api/v1/images/far.png/video', {})).status).toBe(202);
  expect(await rig.progress.database.sql`SELECT 1 FROM progress.picture_imports`).toHaveLength(0);
});

it('an image says why its picture did not come, and takes another URL or an upload then', async () => {
  const reasons: [RequestListener, RegExp][] = [
    [(_, response) => void response.writeHead(404).end(), /answered 404/],
    [(_, response) => void response.writeHead(200, { 'content-length': 50_000 }).end(), /at most 10000 bytes/],
    [(_, response) => void response.setHeader('content-type', 'image/png').end('<html>'), /expected a JPEG, PNG/],
    [(_, response) => void response.end(pngHeader(60_000, 60_000)), /got 60000x60000/],
    [(_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(), /not a public addr/],
  ];
  for (const [listener, reason] of reasons) {
    answer = listener;
    expect((await register('bad.png')).status).toBe(202); // the same image each time
    await expect.poll(async () => (await get('bad.png')).picture_state, settled).toBe('failed');
    expect((await get('bad.png')).picture_error).toMatch(reason);
  }
  const asked = await rig.call('POST', '/api/v1/images/bad.png/video', {});
  expect(asked).toMatchObject({ status: 409, body: { detail: expect.stringContaining('could not be fetched') } });
  expect((await rig.upload('bad.png')).status).toBe(201);
  expect(await get('bad.png')).toMatchObject({ picture_state: 'ready', picture_error: null });
  expect((await register('bad.png')).status).toBe(409);
  const stored: string[] = [];
  for await (const { key } of rig.progress.mediaStore.list('images/bad.png/')) stored.push(key);
  expect(stored).toHaveLength(1);
});

it('an upload that comes first, and the end of the image, end the fetch', async () => {
  answer = (_, response) => void response.writeHead(200).write(picture.subarray(0, 20));
  await register('slow.png');
  expect((await rig.upload('slow.png')).status).toBe(201);
  expect(await get('slow.png')).toMatchObject({ picture_state: 'ready' });
  await register('gone.png');
  expect((await rig.call('DELETE', '/api/v1/images/gone.png')).status).toBe(204);
  expect(await rig.progress.database.sql`SELECT 1 FROM progress.picture_imports`).toHaveLength(0);
});

it('a URL of ours, or of no web server, is refused at once', async () => {
  for (const bad of ['http://10.0.0.1/a.png', 'file:///etc/passwd', 'http://u:p@example.com/a.png']) {
    const refused = await register('never.png', bad);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toMatch(/not a public address|http or https|without a user name/);
  }
  expect((await rig.call('GET', '/api/v1/images/never.png')).status).toBe(404);
});

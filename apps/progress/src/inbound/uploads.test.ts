import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { systemClock } from '@millrace/clock';
import { ManualClock } from '@millrace/clock/testing';
import { newId, systemIdSource } from '@millrace/ids';
import { openMemoryStore } from '@millrace/media-store/testing';
import fc from 'fast-check';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestPart, smallestPart } from '../core/upload.ts';
import { listen, openUploadRig, sha256, type UploadRig } from '../testing/upload-rig.ts';
import { sweepStrayParts, sweepUploads } from './upload-sweeper.ts';

let rig: UploadRig;
beforeAll(async () => {
  rig = await openUploadRig();
});
afterAll(async () => rig[Symbol.asyncDispose]());

const octets = { 'content-type': 'application/offset+octet-stream' };
const patch = (path: string, offset: number, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  rig.send('PATCH', path, { ...octets, 'upload-offset': String(offset), ...headers }, bytes);
const offsetOf = async (path: string) => Number((await rig.send('HEAD', path)).headers.get('upload-offset'));
const stored = (uploadId: string) => rig.progress.service.store.uploads.get(uploadId);
const parts = (uploadId: string) => rig.progress.service.store.uploads.parts(uploadId);

/** Sends the head and some bytes of a body of `length` and then breaks the connection. */
function breakOff(path: string, offset: number, bytes: Uint8Array, length: number): Promise<void> {
  return new Promise((resolve) => {
    const headers = { ...octets, 'upload-offset': offset, 'content-length': length, 'tus-resumable': '1.0.0' };
    const sent = request(new URL(path, rig.url), {
      method: 'PATCH',
      headers: { ...headers, authorization: `Bearer ${rig.token}` },
    });
    sent.on('error', () => {}); // it is us who broke it
    sent.on('close', resolve);
    sent.write(bytes, () => setImmediate(() => sent.destroy()));
  });
}

describe('an upload', () => {
  it('of several parts becomes the original, byte for byte, and a run of the video starts', async () => {
    const bytes = randomBytes(2 * largestPart + 17);
    const videoId = await rig.upload(bytes);
    expect(await rig.original(videoId)).toBe(sha256(bytes));
    const video = await rig.progress.call('GET', `/api/v1/videos/${videoId}`, { token: rig.token });
    expect(video.body).toMatchObject({ source_state: 'ready', size_bytes: bytes.length, status: 'pending' });
    expect(video.body['current_task_id']).toMatch(/^job_/);
  });

  it('that is cut off anywhere, any number of times, goes on where the database says and ends identical', async () => {
    const plan = fc.record({
      size: fc.integer({ min: 1, max: 2 * smallestPart }),
      cuts: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 4 }),
      piece: fc.constantFrom(undefined, 200_000, smallestPart),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ size, cuts, piece }) => {
        const bytes = randomBytes(size);
        const { path, uploadId, videoId } = await rig.begin(size);
        for (const [share, honest] of cuts) {
          const offset = await offsetOf(path);
          expect(offset).toBeLessThanOrEqual(size);
          if (offset === size) break;
          const end = offset + Math.ceil((size - offset) * share * 0.9);
          if (honest) expect((await patch(path, offset, bytes.subarray(offset, end))).status).toBe(204);
          else await breakOff(path, offset, bytes.subarray(offset, end), size - offset);
        }
        await rig.upload(bytes, {
          uploadUrl: new URL(path, rig.url).toString(),
          ...(piece === undefined ? {} : { chunkSize: piece }),
        });
        expect(await rig.original(videoId)).toBe(sha256(bytes));
        expect((await stored(uploadId))?.state).toBe('done');
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it('that tus-js-client aborts is resumed by another client from its URL alone', async () => {
    const bytes = randomBytes(3 * smallestPart);
    const url = await new Promise<string>((resolve, reject) => {
      const first = new Upload(bytes, {
        ...{ endpoint: `${rig.url}/api/v1/uploads`, headers: { authorization: `Bearer ${rig.token}` } },
        ...{ metadata: { title: 'cut' }, chunkSize: smallestPart, onError: reject },
        onChunkComplete: () => void first.abort().then(() => resolve(first.url ?? '')),
      });
      first.start();
    });
    const uploadId = url.slice(url.lastIndexOf('/') + 1);
    expect((await stored(uploadId))?.receivedBytes).toBeGreaterThanOrEqual(smallestPart);
    await rig.upload(bytes, { uploadUrl: url });
    expect(await rig.original((await stored(uploadId))?.videoId ?? '')).toBe(sha256(bytes));
  });

  it('whose instance died between a part and its row loses that part only, and another instance goes on', async () => {
    const bytes = randomBytes(2 * smallestPart + 5);
    const { path, uploadId, videoId } = await rig.begin(bytes.length);
    expect((await patch(path, 0, bytes.subarray(0, smallestPart))).status).toBe(204);
    // what a kill -9 leaves: an object without a row, and a lock that nobody renews
    await rig.store.put(`uploads/${uploadId}/000000001048576-dead`, [bytes.subarray(smallestPart, smallestPart + 99)]);
    await rig.progress.database.sql`
      INSERT INTO progress.upload_locks (upload_id, token, until)
      VALUES (${uploadId}, 'dead', clock_timestamp() + interval '200 milliseconds')`;
    const other = await rig.progress.openAnother('progress-2');
    const server = await listen(other);
    await other.ready;
    try {
      await rig.upload(bytes, { uploadUrl: `http://127.0.0.1:${server.port}${path}` });
      expect(await rig.original(videoId)).toBe(sha256(bytes));
      const targets = await rig.progress.database.sql`SELECT target FROM progress.cleanups`;
      expect(targets.map((row) => row['target'])).toContain(`uploads/${uploadId}/`);
    } finally {
      await server[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    }
  });

  it('is not moved on by a writer that lost its lock, or that starts where it is not any more', async () => {
    const { uploadId } = await rig.begin(10);
    const { uploads } = rig.progress.service.store;
    const part = { startByte: 0, sizeBytes: 4, key: `uploads/${uploadId}/x` };
    const add = (token: string, received: number) => uploads.addParts(uploadId, token, received, [part], 9e12, 0);
    expect(await add('mine', 0)).toBe(false);
    await rig.progress.database.sql`
      INSERT INTO progress.upload_locks (upload_id, token, until) VALUES (${uploadId}, 'mine', clock_timestamp())`;
    expect(await add('other', 0)).toBe(false);
    expect(await add('mine', 3)).toBe(false);
    expect(await add('mine', 0)).toBe(true);
    expect(await add('mine', 0)).toBe(false);
    expect((await stored(uploadId))?.receivedBytes).toBe(4);
  });

  it('sent in the smallest pieces has few parts', async () => {
    const bytes = randomBytes(60);
    const { path, uploadId, videoId } = await rig.begin(bytes.length);
    for (let at = 0; at < bytes.length; at += 5) await patch(path, at, bytes.subarray(at, at + 5));
    expect(await rig.original(videoId)).toBe(sha256(bytes));
    expect(await parts(uploadId)).toEqual([]);
    const { path: other, uploadId: open } = await rig.begin(100);
    for (let at = 0; at < 30; at += 5) await patch(other, at, bytes.subarray(at, at + 5));
    expect(await parts(open)).toMatchObject([{ startByte: 0, sizeBytes: 30 }]);
  });

  it('written by two at once goes on from one of them, and neither damages the other', async () => {
    const bytes = randomBytes(smallestPart);
    const { path, videoId } = await rig.begin(bytes.length);
    const half = bytes.subarray(0, bytes.length / 2);
    const answers = await Promise.all(Array.from({ length: 4 }, () => patch(path, 0, half)));
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.every((status) => [204, 400, 409, 423].includes(status))).toBe(true);
    await rig.upload(bytes, { uploadUrl: new URL(path, rig.url).toString() });
    expect(await rig.original(videoId)).toBe(sha256(bytes));
  });

  it('whose holder hangs is given to who asks, with what the holder had read', async () => {
    const bytes = randomBytes(1_000);
    const { path, videoId } = await rig.begin(bytes.length);
    const headers = { ...octets, 'upload-offset': 0, 'content-length': 1_000, 'tus-resumable': '1.0.0' };
    const hanging = request(new URL(path, rig.url), {
      method: 'PATCH',
      headers: { ...headers, authorization: `Bearer ${rig.token}` },
    });
    hanging.on('error', () => {}); // the server closes it
    await new Promise<void>((resolve) => hanging.write(bytes.subarray(0, 400), () => resolve()));
    for (;;) {
      const held = await rig.progress.database.sql`SELECT 1 FROM progress.upload_locks`;
      if (held.length > 0) break;
    }
    const offset = await offsetOf(path);
    expect([0, 400]).toContain(offset);
    expect((await patch(path, offset, bytes.subarray(offset))).status).toBe(204);
    expect(await rig.original(videoId)).toBe(sha256(bytes));
    hanging.destroy();
  });

  it('whose bytes do not have their checksum keeps none of them', async () => {
    const bytes = randomBytes(500);
    const { path, uploadId, videoId } = await rig.begin(bytes.length);
    const digest = (of: Uint8Array) => `sha1 ${createHash('sha1').update(of).digest('base64')}`;
    const wrong = await patch(path, 0, bytes, { 'upload-checksum': digest(bytes.subarray(1)) });
    expect(wrong.status).toBe(460);
    expect(await wrong.json()).toMatchObject({ type: '/problems/checksum-mismatch' });
    expect([await offsetOf(path), await parts(uploadId)]).toEqual([0, []]);
    expect((await patch(path, 0, bytes, { 'upload-checksum': 'crc32 AAAA' })).status).toBe(400);
    expect((await patch(path, 0, bytes, { 'upload-checksum': digest(bytes) })).status).toBe(204);
    expect(await rig.original(videoId)).toBe(sha256(bytes));
  });

  it('begun with its first bytes and ended by its owner leaves no part, and its video says why', async () => {
    const metadata = `title ${Buffer.from('short').toString('base64')}`;
    const head = { ...octets, 'upload-length': '10', 'upload-metadata': metadata };
    const begun = await rig.send('POST', '/api/v1/uploads', head, randomBytes(4));
    const path = begun.headers.get('location') ?? '';
    expect([begun.status, begun.headers.get('upload-offset')]).toEqual([201, '4']);
    expect(begun.headers.get('upload-expires')).not.toBeNull();
    expect((await rig.send('DELETE', path)).status).toBe(204);
    expect((await rig.send('HEAD', path)).status).toBe(404);
    const videoId = begun.headers.get('millrace-video-id') ?? '';
    const video = await rig.progress.call('GET', `/api/v1/videos/${videoId}`, { token: rig.token });
    expect(video.body).toMatchObject({ source_state: 'failed', error: { code: 'source-failed' } });
    const again = await rig.begin(3, { video_id: videoId });
    await patch(again.path, 0, randomBytes(3));
    expect(await rig.original(videoId)).toHaveLength(64);
  });

  it('for a video that has its original, or none, or is another owner’s, is refused', async () => {
    const videoId = await rig.upload(randomBytes(9));
    await rig.original(videoId);
    await expect(rig.begin(3, { video_id: videoId })).rejects.toThrow('409');
    await expect(rig.begin(3, { video_id: `vid_${'0'.repeat(26)}` })).rejects.toThrow('404');
    await expect(rig.begin(3, { video_id: 'x' })).rejects.toThrow('video_id: expected');
    await expect(rig.begin(3, { title: 'x', language: '?' })).rejects.toThrow('language: expected');
    await expect(rig.begin(0)).rejects.toThrow('at least 1 byte');
    const { path } = await rig.begin(3);
    const { token } = await rig.progress.tokenOf('broadcaster');
    for (const method of ['HEAD', 'GET', 'DELETE']) {
      expect((await rig.send(method, path, { authorization: `Bearer ${token}` })).status, method).toBe(404);
    }
    const viewer = await rig.progress.tokenOf('viewer');
    expect((await rig.send('GET', path, { authorization: `Bearer ${viewer.token}` })).status).toBe(403);
    expect((await rig.send('HEAD', path, { authorization: '' })).status).toBe(401);
  });

  it('says to everybody what the server can do', async () => {
    const options = await rig.send('OPTIONS', '/api/v1/uploads', { authorization: '' });
    expect(options.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration,checksum');
    expect(options.headers.get('tus-checksum-algorithm')).toContain('sha1');
    expect(options.headers.get('tus-max-size')).toBe('21474836480');
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is shown to its owner, and deleting its video ends it', async () => {
    const { path, uploadId, videoId } = await rig.begin(10);
    await patch(path, 0, randomBytes(4));
    const shown = await rig.send('GET', path);
    expect(await shown.json()).toMatchObject({ upload_id: uploadId, video_id: videoId, received_bytes: 4 });
    const gone = await rig.progress.call('DELETE', `/api/v1/videos/${videoId}`, { token: rig.token });
    expect(gone.status).toBe(204);
    expect((await patch(path, 4, randomBytes(6))).status).toBe(404);
  });
});

describe('limits of uploads', () => {
  it('refuse what is too large, over the quota or one too many', async () => {
    await using small = await openUploadRig({
      settings: { PROGRESS_MAX_UPLOAD_BYTES: 100, PROGRESS_MAX_OWNER_BYTES: 150, PROGRESS_MAX_UPLOADS: 2 },
    });
    await expect(small.begin(101)).rejects.toThrow('413');
    await small.begin(90);
    await expect(small.begin(61)).rejects.toThrow('at most the 60 bytes left');
    await small.begin(60);
    await expect(small.begin(1)).rejects.toThrow('429');
  });

  it('of a full store are told as 507, keep what was stored, and the upload goes on when there is room', async () => {
    const store = openMemoryStore();
    await using tight = await openUploadRig({ mediaStore: store });
    const bytes = randomBytes(20);
    const { path, videoId } = await tight.begin(20);
    const send = (offset: number, end: number) =>
      tight.send('PATCH', path, { ...octets, 'upload-offset': String(offset) }, bytes.subarray(offset, end));
    expect((await send(0, 8)).status).toBe(204);
    store.failWith({ kind: 'full', message: 'ENOSPC' });
    const refusal = await send(8, 20);
    expect([refusal.status, await refusal.json()]).toMatchObject([507, { type: '/problems/store-full' }]);
    store.failWith(undefined);
    expect(Number((await tight.send('HEAD', path)).headers.get('upload-offset'))).toBe(8);
    expect((await send(8, 20)).status).toBe(204);
    expect(await tight.original(videoId)).toBe(sha256(bytes));
  });
});

it('an upload that rests too long is removed with its parts, and its video says so', async () => {
  const clock = new ManualClock(Date.now());
  await using resting = await openUploadRig({ clock, settings: { PROGRESS_UPLOAD_HOURS: 1 } });
  const { path, uploadId, videoId } = await resting.begin(10);
  const head = { ...octets, 'upload-offset': '0' };
  expect((await resting.send('PATCH', path, head, randomBytes(4))).status).toBe(204);
  const { store } = resting.progress.service;
  const metrics = { uploads: { inc: () => {} }, loopFailures: { inc: () => {} } };
  const sweep = () => sweepUploads({ store, clock, metrics });
  await clock.advance(59 * 60_000);
  await sweep();
  expect(await store.uploads.get(uploadId)).toBeDefined();
  await clock.advance(61_000);
  await sweep();
  expect(await store.uploads.get(uploadId)).toBeUndefined();
  expect(await store.videos.get(videoId)).toMatchObject({ sourceState: 'failed' });
  const targets = await resting.progress.database.sql`SELECT target FROM progress.cleanups`;
  // the service sweeps by the same clock, and may have said so as well
  expect(new Set(targets.map((row) => row['target']))).toEqual(new Set([`uploads/${uploadId}/`]));
});

it('parts of an upload that is not there are removed, those of one that is, or has just begun, are not', async () => {
  const { store } = rig.progress.service;
  const { path, uploadId } = await rig.begin(10);
  await patch(path, 0, randomBytes(4));
  const at = (ms: number) => newId('upl', { ...systemIdSource, nowMs: () => ms });
  const [stray, young] = [at(Date.now() - 7_200_000), at(Date.now())];
  for (const id of [stray, young]) await rig.store.put(`uploads/${id}/000000000000000-x`, [randomBytes(3)]);
  await sweepStrayParts({ store, mediaStore: rig.store, clock: { ...systemClock, nowMs: () => Date.now() + 60_000 } });
  const rows = await rig.progress.database.sql`SELECT target FROM progress.cleanups`;
  const targets = rows.map((row) => row['target']);
  expect(targets).toContain(`uploads/${stray}/`);
  for (const id of [young, uploadId]) expect(targets).not.toContain(`uploads/${id}/`);
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openUploadRig, sha256, type UploadRig } from '../testing/upload-rig.ts';

let rig: UploadRig;
beforeAll(async () => {
  rig = await openUploadRig();
});
afterAll(async () => rig[Symbol.asyncDispose]());

describe('an upload', () => {
  it('of several parts becomes the original, byte for byte, and a run of the video starts', async () => {
    const bytes = randomBytes(20 * 1024 * 1024 + 17);
    const videoId = await rig.upload(bytes);
    expect(await rig.original(videoId)).toBe(sha256(bytes));
    const video = await rig.progress.call('GET', `/api/v1/videos/${videoId}`, { token: rig.token });
    expect(video.body).toMatchObject({ source_state: 'ready', size_bytes: bytes.length, status: 'pending' });
    expect(video.body['current_task_id']).toMatch(/^job_/);
  });
});

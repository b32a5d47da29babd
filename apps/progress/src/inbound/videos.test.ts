import { createdVideoSchema, videoPageSchema, videoSchema } from '@millrace/api';
import type { Role } from '@millrace/auth';
import { auditTopic, type VideoState, videosTopic } from '@millrace/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aReadyVideo, videoJobs } from '../testing/video-jobs.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

const nobody = `vid_${'0'.repeat(26)}`;
let progress: TestProgress;
let token: string;
let ownerId: string;
beforeAll(async () => {
  progress = await openTestProgress({ jobTypes: videoJobs(), settings: { PROGRESS_MAX_VIDEOS: 9 } });
  ({ token, ownerId } = await progress.tokenOf('broadcaster'));
});
afterAll(async () => progress[Symbol.asyncDispose]());

const create = (body: unknown, headers = {}, as = token) =>
  progress.call<{ video: { video_id: string } }>('POST', '/api/v1/videos', { token: as, body, headers });

async function states(videoId: string): Promise<(VideoState | undefined)[]> {
  const all = await progress.published(videosTopic);
  return all.filter(({ key }) => key === videoId).map(({ value }) => value);
}

describe('a video', () => {
  it('is created without its original, says where to upload it, and is published', async () => {
    const made = await create({ title: 'a film', language: 'en', visibility: 'private' });
    expect(made.status).toBe(201);
    const { video, upload_url } = createdVideoSchema.parse(made.body);
    expect(upload_url).toBe('/api/v1/uploads');
    expect(made.headers.get('location')).toBe(`/api/v1/videos/${video.video_id}`);
    expect(video).toMatchObject({
      status: 'pending',
      source_state: 'uploading',
      current_task_id: null,
      playback: null,
    });
    const got = await progress.call('GET', `/api/v1/videos/${video.video_id}`, { token });
    expect(videoSchema.parse(got.body)).toEqual(video);
    const status = await progress.call('GET', `/api/v1/videos/${video.video_id}/status`, { token });
    expect(status.body).toEqual({
      ...{ video_id: video.video_id, status: 'pending', current_task_id: null, progress: 0, error: null },
      updated_at: video.updated_at,
    });
    expect(await states(video.video_id)).toMatchObject([{ title: 'a film', asset: null, complete: false }]);
  });

  it('changes by PATCH, at once for everybody who plays it, and is gone after DELETE', async () => {
    const { video_id: id } = (await create({ title: 'a film' })).body.video;
    const changed = await progress.call('PATCH', `/api/v1/videos/${id}`, {
      ...{ token, body: { title: 'the film', visibility: 'private', language: 'de' } },
    });
    expect(changed.body).toMatchObject({ title: 'the film', visibility: 'private', language: 'de' });
    const cleared = await progress.call('PATCH', `/api/v1/videos/${id}`, { token, body: { language: null } });
    expect(cleared.body).toMatchObject({ title: 'the film', language: null });
    expect((await progress.call('DELETE', `/api/v1/videos/${id}`, { token })).status).toBe(204);
    expect((await progress.call('GET', `/api/v1/videos/${id}`, { token })).status).toBe(404);
    const seen = await states(id);
    expect(seen.map((state) => state?.title)).toEqual(['a film', 'the film', 'the film', undefined]);
  });

  it('is created once for an Idempotency-Key, and another body under that key is refused', async () => {
    const key = { 'idempotency-key': 'one-video-only-012345' };
    const [first, again] = [await create({ title: 'once' }, key), await create({ title: 'once' }, key)];
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await create({ title: 'twice' }, key)).status).toBe(422);
  });

  it('over the owner’s limit is refused, and so is one that is not as documented', async () => {
    const other = await progress.tokenOf('broadcaster');
    for (let n = 0; n < 9; n++) expect((await create({ title: `${n}` }, {}, other.token)).status).toBe(201);
    const refused = await create({ title: 'ten' }, {}, other.token);
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/too-many-videos' } });
    expect((await create({ title: '' })).status).toBe(400);
    expect((await create({ title: 'x', language: 'not a language' })).status).toBe(400);
  });
});

it('a list shows the owner’s own, the newest first, by pages, status, origin and part of the title', async () => {
  const { token: mine, ownerId: me } = await progress.tokenOf('broadcaster');
  const ids: string[] = [];
  for (const title of ['Alps', 'Baltic', 'balcony'])
    ids.unshift((await create({ title }, {}, mine)).body.video.video_id);
  const ready = await aReadyVideo(progress.service, me);
  await progress.call('POST', `/api/v1/videos/${ready.videoId}/run_sync`, { token: mine });
  const list = async (query: string) => {
    const answer = await progress.call('GET', `/api/v1/videos?${query}`, { token: mine });
    return videoPageSchema.parse(answer.body);
  };
  const names = async (query: string) => (await list(query)).items.map((video) => video.video_id);
  expect(await names('limit=100')).toEqual([ready.videoId, ...ids]);
  const first = await list('limit=3');
  expect(first.items[0]).toMatchObject({
    status: 'pending',
    progress: 0,
    current_task_id: expect.stringMatching(/^job_/),
  });
  expect(await names(`limit=3&cursor=${first.next_cursor}`)).toEqual(ids.slice(2));
  expect(await names('title=BAL')).toEqual([ids[0], ids[1]]);
  expect(await names('title=%25')).toEqual([]);
  expect(await names('origin=import')).toEqual([]);
  expect(await names('status=completed')).toEqual([]);
  expect((await progress.call('GET', '/api/v1/videos?status=odd', { token: mine })).status).toBe(400);
  const admin = await progress.tokenOf('admin');
  const all = await progress.call<{ items: unknown[] }>('GET', '/api/v1/videos?limit=100', { token: admin.token });
  expect(all.body.items.length).toBeGreaterThan(4);
});

describe('who may', () => {
  /** Who may call each route: a admin, b broadcaster, n analyst, v viewer. */
  const table: readonly (readonly [string, string, string, unknown?])[] = [
    ['GET', '/api/v1/videos', 'abnv'],
    ['POST', '/api/v1/videos', 'ab', { title: 'x' }],
    ['GET', `/api/v1/videos/${nobody}`, 'abnv'],
    ['GET', `/api/v1/videos/${nobody}/status`, 'abnv'],
    ['GET', `/api/v1/videos/${nobody}/reprocess`, 'abnv'],
    ['PATCH', `/api/v1/videos/${nobody}`, 'ab', { title: 'x' }],
    ['DELETE', `/api/v1/videos/${nobody}`, 'ab'],
    ['POST', `/api/v1/videos/${nobody}/run_sync`, 'ab', {}],
    ['POST', `/api/v1/videos/${nobody}/reprocess`, 'ab', {}],
  ];
  const letters: Readonly<Record<Role, string>> = { admin: 'a', broadcaster: 'b', analyst: 'n', viewer: 'v' };

  it('has a row for every route of videos', () => {
    const routes = Object.entries(progress.service.openApi.paths ?? {})
      .filter(([path]) => path.startsWith('/api/v1/videos'))
      .flatMap(([path, item]) =>
        Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path.replace('{id}', nobody)}`),
      );
    expect(table.map(([method, path]) => `${method} ${path}`).sort()).toEqual(routes.sort());
  });

  it('is said by the role, and what is another owner’s is not there', async () => {
    const { videoId } = await aReadyVideo(progress.service, ownerId);
    for (const role of ['admin', 'broadcaster', 'analyst', 'viewer'] as const) {
      const other = await progress.tokenOf(role);
      for (const [method, path, who, body] of table) {
        const { status } = await progress.call(method, path, { token: other.token, body });
        if (who.includes(letters[role])) expect([200, 201, 404], `${role} ${method} ${path}`).toContain(status);
        else expect(status, `${role} ${method} ${path}`).toBe(403);
      }
    }
    const other = await progress.tokenOf('broadcaster');
    for (const [method, path, , body] of table.filter(([, path]) => path.includes(nobody))) {
      const at = path.replace(nobody, videoId);
      expect((await progress.call(method, at, { token: other.token, body })).status, `${method} ${at}`).toBe(404);
      expect((await progress.call(method, at, { body })).status, `${method} ${at}`).toBe(401);
    }
  });
});

it('every change leaves one audit fact with its actor, action, resource and request id', async () => {
  const facts = new Map<string, unknown>();
  const { video_id: id } = (await create({ title: 'audited' })).body.video;
  const { videoId: ready } = await aReadyVideo(progress.service, ownerId);
  const calls = [
    ['updateVideo', await progress.call('PATCH', `/api/v1/videos/${id}`, { token, body: { title: 'y' } }), id],
    ['deleteVideo', await progress.call('DELETE', `/api/v1/videos/${id}`, { token }), id],
    ['runSync', await progress.call('POST', `/api/v1/videos/${ready}/run_sync`, { token }), ready],
    [
      'reprocess',
      await progress.call('POST', `/api/v1/videos/${ready}/reprocess`, { token, body: { force: true } }),
      ready,
    ],
  ] as const;
  const follower = await progress.eventLog.follow({
    topic: auditTopic,
    from: 'earliest',
    onRecord: ({ value }) => void (value && facts.set(value.request_id, value)),
  });
  const factOf = (answer: (typeof calls)[number][1]) => facts.get(answer.headers.get('x-request-id') ?? '');
  // what was committed is in the log a moment later
  await expect.poll(() => calls.every(([, answer]) => factOf(answer)), { timeout: 5_000, interval: 10 }).toBe(true);
  await follower[Symbol.asyncDispose]();
  for (const [action, answer, resource] of calls) {
    expect(answer.status, action).toBeLessThan(300);
    expect(factOf(answer), action).toMatchObject({ action, resource, actor: ownerId, owner_id: ownerId });
  }
});

it('the document has the schemas of long work', () => {
  const schemas = Object.keys(progress.service.openApi.components?.['schemas'] ?? {});
  expect(schemas).toEqual(expect.arrayContaining(['AsyncTaskResponse', 'TaskProgressResponse', 'SubTaskProgress']));
});

import {
  asyncTaskResponseSchema,
  processingSteps,
  taskProgressResponseSchema,
  videoSchema,
  videoStatusSchema,
} from '@millrace/api';
import { videosTopic } from '@millrace/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allTasks,
  aReadyVideo,
  endWith,
  failNext,
  leaseNext,
  someMedia,
  videoJobs,
  work,
} from '../testing/video-jobs.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

let progress: TestProgress;
let token: string;
let ownerId: string;
beforeAll(async () => {
  progress = await openTestProgress({ jobTypes: videoJobs() });
  ({ token, ownerId } = await progress.tokenOf('broadcaster'));
});
afterAll(async () => progress[Symbol.asyncDispose]());

const at = (videoId: string, rest = '') => `/api/v1/videos/${videoId}${rest}`;
const get = (videoId: string, rest = '') => progress.call('GET', at(videoId, rest), { token });
const post = (videoId: string, call: 'run_sync' | 'reprocess', body?: unknown, headers = {}) =>
  progress.call<Record<string, string>>('POST', at(videoId, `/${call}`), { token, body, headers });
const aVideo = async () => (await aReadyVideo(progress.service, ownerId)).videoId;
const video = async (videoId: string) => videoSchema.parse((await get(videoId)).body);
const completed = async () => {
  const videoId = await aVideo();
  await post(videoId, 'run_sync');
  await work(progress.service, allTasks);
  return videoId;
};
const cleanups = async () =>
  (await progress.database.sql`SELECT target FROM progress.cleanups`).map((row) => row['target']);

describe('run_sync', () => {
  it('answers 202 with the task, its state and where its progress is, before any of the work is done', async () => {
    const videoId = await aVideo();
    const accepted = await post(videoId, 'run_sync');
    expect(accepted.status).toBe(202);
    const body = asyncTaskResponseSchema.parse(accepted.body);
    expect(body).toMatchObject({ kind: 'process', status: 'pending', progress: 0 });
    expect(accepted.headers.get('location')).toBe(body.status_url);
    expect(body.status_url).toBe(at(videoId, '/reprocess'));
    const told = await progress.call('GET', body.status_url, { token });
    expect(told.body).toMatchObject({ task_id: body.task_id, status: 'pending' });
    await work(progress.service, allTasks);
  });

  it('while a run is active is refused with its id and URL, as reprocess is', async () => {
    const videoId = await aVideo();
    const first = await post(videoId, 'run_sync');
    for (const call of ['run_sync', 'reprocess'] as const) {
      const second = await post(videoId, call);
      expect(second.status).toBe(409);
      expect(second.headers.get('content-type')).toBe('application/problem+json');
      expect(second.body).toMatchObject({
        ...{ type: '/problems/task-active', task_id: first.body['task_id'], status_url: at(videoId, '/reprocess') },
      });
    }
    await work(progress.service, allTasks);
  });

  it('of a completed video is refused with a reason, unless it is forced', async () => {
    const videoId = await completed();
    expect(await post(videoId, 'run_sync')).toMatchObject({
      status: 409,
      body: { type: '/problems/already-processed' },
    });
    expect((await post(videoId, 'run_sync', { force: true })).status).toBe(202);
    await work(progress.service, allTasks);
  });

  it('of a video whose original is not there is refused with a reason, and of an unknown one with 404', async () => {
    const made = await progress.call<{ video: { video_id: string } }>('POST', '/api/v1/videos', {
      ...{ token, body: { title: 'to come' } },
    });
    const refused = await post(made.body.video.video_id, 'run_sync', { force: true });
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/source-not-ready' } });
    expect((await post(`vid_${'0'.repeat(26)}`, 'run_sync')).status).toBe(404);
  });

  it('with the Idempotency-Key of an earlier call gets its answer, though that run is active', async () => {
    const videoId = await aVideo();
    const headers = { 'idempotency-key': 'the-same-key-0123456789' };
    const first = await post(videoId, 'run_sync', { force: false }, headers);
    const again = await post(videoId, 'run_sync', { force: false }, headers);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    await work(progress.service, allTasks);
  });

  it('called a thousand times at once makes one job, and every other call is told which', async () => {
    const videoId = await aVideo();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => post(videoId, 'run_sync')));
    const accepted = answers.filter((answer) => answer.status === 202);
    expect(accepted).toHaveLength(1);
    const others = answers.filter((answer) => answer.status === 409);
    expect(others).toHaveLength(999);
    expect(new Set(others.map((answer) => answer.body['task_id']))).toEqual(new Set([accepted[0]?.body['task_id']]));
    const jobs = await progress.database.sql`SELECT job_id FROM progress.jobs WHERE subject = ${videoId}`;
    expect(jobs).toHaveLength(1);
    await work(progress.service, allTasks);
  }, 60_000);
});

describe('reprocess', () => {
  it('of a video that was never processed is refused with a reason, and its progress is the initial state', async () => {
    const videoId = await aVideo();
    expect(await post(videoId, 'reprocess')).toMatchObject({
      status: 409,
      body: { type: '/problems/never-processed' },
    });
    const initial = await get(videoId, '/reprocess');
    expect(initial.status).toBe(200);
    const state = taskProgressResponseSchema.parse(initial.body);
    expect(state).toMatchObject({ task_id: null, status: 'pending', progress: 0, subject: videoId, error: null });
    expect(Object.fromEntries(state.steps.map((step) => [step.name, step.weight]))).toEqual(processingSteps);
    expect((await get(`vid_${'0'.repeat(26)}`, '/reprocess')).status).toBe(404);
  });

  it('leaves what can be played until the new is whole, then hands the old to the cleaner', async () => {
    const videoId = await completed();
    const old = (await progress.service.store.videos.get(videoId))?.playable?.asset;
    expect((await post(videoId, 'reprocess')).status).toBe(202);
    await work(progress.service, allTasks - 1);
    expect((await progress.service.store.videos.get(videoId))?.playable).toMatchObject({ asset: old, complete: true });
    await work(progress.service, 1);
    const now = (await progress.service.store.videos.get(videoId))?.playable?.asset;
    expect(now).not.toBe(old);
    expect(await cleanups()).toEqual(expect.arrayContaining([`${old}/`, `${old}.m3u8`, `${old}.mpd`]));
    expect(await cleanups()).not.toContain(`${now}/`);
  });

  it('that fails removes what it made and keeps the old, with the step and reason of the failure', async () => {
    const videoId = await completed();
    const old = (await progress.service.store.videos.get(videoId))?.playable;
    await post(videoId, 'reprocess');
    await work(progress.service, 2);
    await failNext(progress.service);
    const error = { step: 'publish', code: 'bad-media', reason: 'expected media, got noise' };
    expect(await video(videoId)).toMatchObject({ status: 'failed', current_task_id: null, error });
    const jobs = await progress.service.desk.newest('process', videoId);
    const asset = (jobs?.request as { asset: string }).asset;
    expect((await progress.service.store.videos.get(videoId))?.playable).toEqual(old);
    expect(await cleanups()).toContain(`${asset}/`);
    expect(taskProgressResponseSchema.parse((await get(videoId, '/reprocess')).body).error).toEqual(error);
    expect((await post(videoId, 'reprocess')).status).toBe(202);
    await work(progress.service, allTasks);
  });

  it('of subtitles alone works on the asset that is there and knows what the earlier run made', async () => {
    const videoId = await completed();
    const { asset } = (await progress.service.store.videos.get(videoId))?.playable ?? {};
    await post(videoId, 'reprocess', { steps: ['subtitles'] });
    const request = (await progress.service.desk.newest('process', videoId))?.request;
    expect(request).toMatchObject({
      steps: ['subtitles'],
      asset,
      previous: expect.arrayContaining([expect.anything()]),
    });
    await failNext(progress.service);
    expect((await progress.service.store.videos.get(videoId))?.playable).toMatchObject({ asset, complete: true });
    expect(await cleanups()).not.toContain(`${asset}/`);
  });

  it('with force cancels what runs, is accepted at once, and its tasks wait until that one is really gone', async () => {
    const videoId = await aVideo();
    const first = await post(videoId, 'run_sync');
    const held = await leaseNext(progress.service);
    const second = await post(videoId, 'reprocess', { force: true });
    expect(second.status).toBe(202);
    expect(second.body['task_id']).not.toBe(first.body['task_id']);
    expect(await video(videoId)).toMatchObject({ status: 'pending', current_task_id: second.body['task_id'] });
    const none = await progress.service.leases.lease(
      { worker_id: 'w2', slots: 1, kinds: ['probe', 'publish'], wait_ms: 0 },
      new AbortController().signal,
    );
    expect(none).toEqual({ ok: true, value: [] });
    await endWith(progress.service, { kind: 'stopped', task_id: held.task_id, fence: held.fence });
    expect(await video(videoId)).toMatchObject({ status: 'pending', current_task_id: second.body['task_id'] });
    await work(progress.service, allTasks);
    expect(await video(videoId)).toMatchObject({ status: 'completed', current_task_id: null, progress: 100 });
  });
});

describe('a video', () => {
  it('is playable after the first publish, and whole at the end, with poster, storyboard and subtitles', async () => {
    const videoId = await aVideo();
    await post(videoId, 'run_sync');
    await work(progress.service, 1);
    expect(await video(videoId)).toMatchObject({ status: 'processing', playback: null, media: someMedia });
    await work(progress.service, 1);
    const early = await video(videoId);
    const root = `http://localhost:8080/vod/${early.playback_id}`;
    expect(early.playback).toMatchObject({ hls_url: `${root}/index.m3u8`, dash_url: null, complete: false });
    await work(progress.service, 3);
    const whole = await video(videoId);
    const folder = (await progress.service.store.videos.get(videoId))?.playable?.asset.split('/')[2];
    expect(folder).toMatch(/^ast_/);
    expect(whole).toMatchObject({ status: 'completed', progress: 100, error: null });
    expect(whole.playback).toEqual({
      ...{ hls_url: `${root}/index.m3u8`, dash_url: `${root}/index.mpd`, poster_url: `${root}/poster.jpg` },
      ...{ storyboard_url: `${root}/${folder}/storyboard.vtt`, file_url: `${root}/video.mp4`, complete: true },
      subtitles: [{ language: 'en', url: `${root}/${folder}/subtitles-en.vtt` }],
    });
    const status = videoStatusSchema.strict().parse((await get(videoId, '/status')).body);
    expect(status).toMatchObject({ video_id: videoId, status: 'completed', current_task_id: null, progress: 100 });
  });

  it('whose first run is cancelled cannot be played any more, and is published so', async () => {
    const videoId = await aVideo();
    const run = await post(videoId, 'run_sync');
    await work(progress.service, 2);
    const cancelled = await progress.call('POST', `/api/v1/jobs/${run.body['task_id']}/cancel`, { token });
    expect(cancelled.status).toBe(202);
    expect(await video(videoId)).toMatchObject({ status: 'cancelled', playback: null, current_task_id: null });
    const states = (await progress.published(videosTopic)).filter(({ key }) => key === videoId);
    expect(states.at(-1)?.value).toMatchObject({ status: 'cancelled', asset: null, complete: false });
  });

  it('that is deleted while it runs takes its job and every file with it', async () => {
    const videoId = await aVideo();
    const run = await post(videoId, 'run_sync');
    const held = await leaseNext(progress.service);
    expect((await progress.call('DELETE', at(videoId), { token })).status).toBe(204);
    for (const rest of ['', '/status', '/reprocess']) expect((await get(videoId, rest)).status).toBe(404);
    await endWith(progress.service, { kind: 'stopped', task_id: held.task_id, fence: held.fence });
    const ended = await progress.service.desk.ended(run.body['task_id'] ?? '', new AbortController().signal);
    expect(ended).toBe('cancelled');
    expect((await cleanups()).filter((target) => target === `videos/${videoId}/`).length).toBeGreaterThanOrEqual(1);
  });
});

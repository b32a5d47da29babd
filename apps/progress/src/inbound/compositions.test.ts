import { type Composition, compositionPageSchema, compositionSchema } from '@millrace/api';
import { auditTopic } from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newVideo } from '../core/video.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

let progress: TestProgress;
let token: string;
let ownerId: string;
let mine: readonly string[];
beforeAll(async () => {
  progress = await openTestProgress();
  ({ token, ownerId } = await progress.tokenOf('broadcaster'));
  mine = [await aVideo(ownerId), await aVideo(ownerId, 'private')];
});
afterAll(async () => progress[Symbol.asyncDispose]());

async function aVideo(owner: string, visibility: 'public' | 'private' = 'public'): Promise<string> {
  const videoId = newId('vid', systemIdSource);
  const created = newVideo(
    {
      ...{ videoId, playbackId: newId('play', systemIdSource), ownerId: owner, title: 'a film', visibility },
      ...{ origin: 'upload', sourceState: 'ready', processOnSource: true },
    },
    Date.now(),
  );
  const video = {
    ...{ codec: 'h264', profile: 'High', width: 320, height: 180, frames_per_second: 30, bits_per_second: null },
    ...{ pixel_format: 'yuv420p', rotation: 0 },
  };
  const media = { container: 'mov', duration_ms: 4_000, size_bytes: 1, video, audio: null };
  const ready = { ...created, sourceKey: `videos/${videoId}/source` };
  await progress.service.store.videos.insert({ ...ready, status: 'completed', media });
  return videoId;
}

const submit = (body: unknown, as = token, headers = {}) =>
  progress.call<Composition>('POST', '/api/v1/compositions', { token: as, body, headers });
const get = (id: string, as = token) => progress.call<Composition>('GET', `/api/v1/compositions/${id}`, { token: as });
const cancel = (id: string, as = token) =>
  progress.call<Composition>('POST', `/api/v1/compositions/${id}/cancel`, { token: as });

describe('a composition', () => {
  it('is accepted at once with every field, and listed; its job waits', async () => {
    const taken = await submit({ videos: mine, title: 'Both' });
    expect(taken.status).toBe(202);
    const composition = compositionSchema.parse(taken.body);
    expect(taken.headers.get('location')).toBe(`/api/v1/compositions/${composition.composition_id}`);
    const shown = compositionSchema.parse((await get(composition.composition_id)).body);
    expect(shown).toMatchObject({ title: 'Both', status: 'pending', progress: 0, owner_id: ownerId });
    expect(shown.steps.map(({ name, weight }) => [name, weight])).toEqual(
      composition.steps.map(({ name, weight }) => [name, weight]),
    );
    const page = compositionPageSchema.parse(
      (await progress.call('GET', '/api/v1/compositions?limit=1', { token })).body,
    );
    expect(page.items[0]?.composition_id).toBe(composition.composition_id);
    const [job] = await progress.facts(composition.task_id);
    expect(job).toMatchObject({ type: 'JobQueued', kind: 'compose', subject: composition.composition_id });
  });

  it('is one for one Idempotency-Key, however often it is submitted', async () => {
    const headers = { 'idempotency-key': 'compose-these-two-once' };
    const all = await Promise.all(Array.from({ length: 8 }, () => submit({ videos: mine }, token, headers)));
    expect(new Set(all.map((one) => one.status))).toEqual(new Set([202]));
    expect(new Set(all.map((one) => one.body.composition_id)).size).toBe(1);
    expect((await submit({ videos: [...mine, mine[0]] }, token, headers)).status).toBe(422);
  });

  it("of another's videos is refused as of unknown ones, and is not there for others", async () => {
    const other = await progress.tokenOf('broadcaster');
    const theirs = await submit({ videos: mine }, other.token);
    expect(theirs).toMatchObject({ status: 422, body: { type: '/problems/composition-refused' } });
    const { composition_id: id } = (await submit({ videos: mine })).body;
    expect((await get(id, other.token)).status).toBe(404);
    expect((await cancel(id, other.token)).status).toBe(404);
    expect((await submit({ videos: mine }, (await progress.tokenOf('viewer', ownerId)).token)).status).toBe(403);
    expect((await submit({ videos: mine }, (await progress.tokenOf('admin')).token)).status).toBe(202);
  });

  it('is cancelled once, refused with its state after that, and audited', async () => {
    const { composition_id: id } = (await submit({ videos: mine })).body;
    const cancelled = await cancel(id);
    expect(cancelled).toMatchObject({ status: 202, body: { status: 'cancelled', output: null, cancelling: false } });
    expect(cancelled.body.finished_at).not.toBeNull();
    const again = await cancel(id);
    expect(again).toMatchObject({ status: 409, body: { detail: expect.stringContaining('is cancelled') } });
    const audited = await progress.published(auditTopic);
    const actions = audited.flatMap(({ value }) =>
      value?.type === 'ActionTaken' && value.resource === id ? [value.action] : [],
    );
    expect(actions).toEqual(['createComposition', 'cancelComposition']);
  });
});

it('a composition with a private video becomes private, and one that fails says why and leaves nothing', async () => {
  const { composition_id: id, task_id } = (await submit({ videos: mine, priority: 'high' })).body;
  const summary = await progress.service.desk.summary(task_id);
  const { video_id, visibility } = summary?.request as { video_id: string; visibility: string };
  expect(visibility).toBe('private');
  await progress.mediaStore.put(`videos/${video_id}/source`, [new Uint8Array(8)]);
  const signal = new AbortController().signal;
  const request = { worker_id: 'w1', slots: 64, kinds: ['inspect' as const], wait_ms: 0 };
  const leased = await progress.service.leases.lease(request, signal);
  const task = leased.ok ? leased.value.find((one) => one.job_id === task_id) : undefined;
  if (task === undefined) throw new Error(`expected a task of ${task_id}`);
  const failure = { code: 'bad-media', reason: 'expected a video', retryable: false };
  await progress.service.leases.end('w1', { kind: 'failed', task_id: task.task_id, fence: task.fence, failure });
  expect(await progress.service.desk.ended(task_id, signal)).toBe('failed');
  expect((await get(id)).body).toMatchObject({
    ...{ status: 'failed', output: null },
    error: { step: 'inspect', code: 'bad-media', reason: 'expected a video' },
  });
  const due = await progress.service.store.cleanups.take(Date.now() + 60_000, Date.now() + 120_000, 100);
  const gone = await progress.mediaStore.get(`videos/${video_id}/source`);
  expect(!gone.ok || due.some((one) => one.target === `videos/${video_id}/`)).toBe(true);
});

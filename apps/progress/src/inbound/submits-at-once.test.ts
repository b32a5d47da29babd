/** Many submits at once: they share commits, and each is as if it were alone; what cannot be answered in time is turned away. */
import { type Composition, problemSchema } from '@millrace/api';
import { newId, systemIdSource } from '@millrace/ids';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newVideo } from '../core/video.ts';
import { someMedia } from '../testing/video-jobs.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

const quota = 110;
const mostSubmits = 20;
let progress: TestProgress;
vi.setConfig({ testTimeout: 60_000 });
beforeAll(async () => {
  // nothing here is turned away because the machine is slow
  const limits = { PROGRESS_MAX_QUEUED_JOBS: quota, PROGRESS_MAX_SUBMITS: 500, PROGRESS_SLOW_REQUEST_MS: 60_000 };
  progress = await openTestProgress({ settings: limits });
});
afterAll(() => progress[Symbol.asyncDispose]());

/** An owner with a token and videos that are ready, processed once. */
async function anOwner(videos: number, at = progress) {
  const { token, ownerId } = await at.tokenOf('broadcaster');
  const ids: string[] = [];
  for (let n = 0; n < videos; n++) {
    const videoId = newId('vid', systemIdSource);
    const ids2 = { videoId, playbackId: newId('play', systemIdSource), ownerId };
    const about = { title: 'a film', visibility: 'public', origin: 'upload', sourceState: 'ready' } as const;
    const created = newVideo({ ...ids2, ...about, processOnSource: true }, Date.now());
    const size = { codec: 'h264', profile: 'High', width: 320, height: 180, frames_per_second: 30 };
    const video = { ...size, bits_per_second: null, pixel_format: 'yuv420p', rotation: 0 };
    const ready = { ...created, sourceKey: `videos/${videoId}/source`, status: 'completed' as const };
    await at.service.store.videos.insert({ ...ready, media: { ...someMedia, video } });
    ids.push(videoId);
  }
  const compose = (wanted: readonly string[] = ids.slice(0, 2), headers = {}) =>
    at.call<Composition>('POST', '/api/v1/compositions', { token, body: { videos: wanted }, headers });
  const reprocess = (videoId: string, body = {}) =>
    at.call<{ task_id: string }>('POST', `/api/v1/videos/${videoId}/reprocess`, { token, body });
  return { token, ownerId, videos: ids, compose, reprocess };
}

const transactionsOf = async (table: 'jobs' | 'compositions' | 'videos', ownerId: string) => {
  const { sql } = progress.database;
  const rows =
    await sql`SELECT count(DISTINCT xmin::text)::int AS n FROM ${sql(`progress.${table}`)} WHERE owner_id = ${ownerId}`;
  return Number(rows[0]?.['n']);
};

describe('submits at once', () => {
  it('share commits, and each has its own job, row, audit and fact', async () => {
    const owner = await anOwner(2);
    const answers = await Promise.all(Array.from({ length: 40 }, () => owner.compose()));
    expect(answers.map((one) => one.status)).toEqual(Array.from({ length: 40 }, () => 202));
    const tasks = answers.map((one) => one.body.task_id);
    expect(new Set(tasks).size).toBe(40);
    expect(new Set(answers.map((one) => one.body.composition_id)).size).toBe(40);
    expect(await transactionsOf('jobs', owner.ownerId)).toBeLessThan(25);
    for (const { body } of answers) {
      const job = await progress.service.store.jobs.get(body.task_id);
      const row = await progress.service.store.compositions.get(body.composition_id);
      expect([job?.subject, row?.taskId]).toEqual([body.composition_id, body.task_id]);
    }
    await vi.waitFor(async () => {
      for (const task of [tasks[0], tasks[39]]) expect(await progress.facts(task ?? '')).toHaveLength(1);
    });
  });

  it('that are refused, or repeat another’s key, change nothing for those beside them', async () => {
    const owner = await anOwner(3);
    const unknown = newId('vid', systemIdSource);
    const key = { 'idempotency-key': 'the-same-for-all-of-them' };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        n % 4 === 0 ? owner.compose([unknown, unknown]) : n % 4 === 1 ? owner.compose(undefined, key) : owner.compose(),
      ),
    );
    const statuses = (rest: number) => new Set(answers.filter((_, n) => n % 4 === rest).map((one) => one.status));
    expect([statuses(0), statuses(1), statuses(2), statuses(3)]).toEqual(
      [422, 202, 202, 202].map((one) => new Set([one])),
    );
    const repeated = answers.filter((_, n) => n % 4 === 1).map((one) => one.body.composition_id);
    expect(new Set(repeated).size).toBe(1);
    expect(await progress.service.store.jobs.countOpen(owner.ownerId)).toBe(21);
    const rows = await progress.database.sql`SELECT 1 FROM progress.compositions WHERE owner_id = ${owner.ownerId}`;
    expect(rows).toHaveLength(21);
  });

  it('of one owner get exactly as many in as the quota says', async () => {
    const owner = await anOwner(2);
    // all but ten of them are there already
    await progress.database.sql`
      INSERT INTO progress.open_jobs (owner_id, slot, open) VALUES (${owner.ownerId}, -1, ${quota - 10})`;
    const answers = await Promise.all(Array.from({ length: 25 }, () => owner.compose()));
    expect(answers.filter((one) => one.status === 202)).toHaveLength(10);
    expect(answers.filter((one) => one.status === 429)).toHaveLength(15);
    expect(await progress.service.store.jobs.countOpen(owner.ownerId)).toBe(quota);
  });

  it('of runs share commits over videos; of each video one gets in, forced ones replace it', async () => {
    const owner = await anOwner(12);
    const runs = owner.videos.flatMap((id) => [owner.reprocess(id), owner.reprocess(id, { priority: 'high' })]);
    const answers = await Promise.all(runs);
    expect(answers.filter((one) => one.status === 202)).toHaveLength(12);
    expect(answers.filter((one) => one.status === 409)).toHaveLength(12);
    expect(await transactionsOf('videos', owner.ownerId)).toBeLessThan(12);
    const forced = await Promise.all(owner.videos.map((id) => owner.reprocess(id, { force: true })));
    expect(new Set(forced.map((one) => one.status))).toEqual(new Set([202]));
    for (const [at, id] of owner.videos.entries()) {
      expect((await progress.service.store.videos.get(id))?.taskId).toBe(forced[at]?.body.task_id);
    }
    expect(await progress.service.store.jobs.countOpen(owner.ownerId)).toBe(12);
  });
});

it('while the database stands still as many wait as may, the rest is turned away and counted, and all who waited get in', async () => {
  const settings = { PROGRESS_MAX_SUBMITS: mostSubmits, PROGRESS_SLOW_REQUEST_MS: 60_000 };
  await using slow = await openTestProgress({ settings });
  const owner = await anOwner(2, slow);
  const held = deferred();
  const taken = deferred();
  const lock = slow.database.sql.begin(async (tx) => {
    await tx`LOCK TABLE progress.jobs IN ACCESS EXCLUSIVE MODE`;
    taken.resolve();
    await held.promise;
  });
  await taken.promise;
  const waiting = Array.from({ length: mostSubmits }, () => owner.compose());
  await vi.waitFor(async () => expect(await slow.metrics.metrics()).toContain(`submits_open ${mostSubmits}\n`));
  const turnedAway = await owner.compose();
  expect(turnedAway.status).toBe(503);
  expect(turnedAway.headers.get('retry-after')).toBe('1');
  expect(problemSchema.parse(turnedAway.body)).toMatchObject({ type: '/problems/overloaded' });
  expect((await slow.call('GET', '/api/v1/videos', { token: owner.token })).status).toBe(200);
  held.resolve();
  await lock;
  const answers = await Promise.all(waiting);
  expect(answers.map((one) => one.status)).toEqual(Array.from({ length: mostSubmits }, () => 202));
  expect(await slow.metrics.metrics()).toMatch(/millrace_progress_submits_shed_total\{reason="full"\} 1\n/);
  expect((await owner.compose()).status).toBe(202);
});

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

import type { Image, LeasedTask } from '@millrace/api';
import { afterEach, expect, it } from 'vitest';
import { type ImageRig, openImageRig } from '../testing/image-rig.ts';

let rig: ImageRig;
afterEach(async () => rig[Symbol.asyncDispose]());

const thumbnail = () => rig.lease(['thumbnail']);
const image = async (name: string) => (await rig.call<Image>('GET', `/api/v1/images/${name}`)).body;
const outputOf = ({ spec }: LeasedTask) => (spec.kind === 'thumbnail' ? spec.output : '');
/** Whether the media store is to be rid of it. */
const isRemoved = async (key: string) =>
  (await rig.progress.database.sql`SELECT 1 FROM progress.cleanups WHERE target = ${key}`).length > 0;

async function fetched(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${rig.token}`;
  return rig.progress.service.fetch(new Request(`http://test${path}`, { headers: { authorization, ...headers } }));
}

it('a picture that has come gets a thumbnail, which its owner sees and may keep, and which goes with it', async () => {
  rig = await openImageRig();
  expect((await (await rig.upload('sun.png')).json()) as Image).toMatchObject({ thumbnail_url: null });
  const task = await thumbnail();
  expect(task.spec).toMatchObject({
    ...{ kind: 'thumbnail', content_type: 'image/png', width: 640, height: 480, orientation: 1, side: 640 },
  });
  expect((await fetched('/api/v1/images/sun.png/thumbnail')).status).toBe(404);
  await rig.thumbnailDone(task);

  const { thumbnail_url: url } = await image('sun.png');
  expect(url).toMatch(/^http:\/\/localhost:8080\/api\/v1\/images\/sun\.png\/thumbnail\?v=img_\w+\.webp$/);
  const path = new URL(url ?? '').pathname;
  const answer = await fetched(path + new URL(url ?? '').search);
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    'image/webp',
    'small',
  ]);
  expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  expect(answer.headers.get('vary')).toBe('authorization');
  const etag = answer.headers.get('etag') ?? '';
  expect((await fetched(path, { 'if-none-match': etag })).status).toBe(304);
  expect((await fetched(path)).headers.get('cache-control')).toBe('private, max-age=0, must-revalidate');
  const { token } = await rig.progress.tokenOf('broadcaster');
  expect((await fetched(path, { authorization: `Bearer ${token}` })).status).toBe(404);
  expect((await fetched(path, { authorization: '' })).status).toBe(401);

  expect((await rig.call('DELETE', '/api/v1/images/sun.png')).status).toBe(204);
  expect(await isRemoved(outputOf(task))).toBe(true);
});

it('thumbnails are the house’s work: in nobody’s list, in nobody’s quota, and at most so many wait', async () => {
  rig = await openImageRig({ settings: { PROGRESS_MAX_QUEUED_JOBS: 3, PROGRESS_THUMBNAILS: 2 } });
  for (const name of ['a', 'b', 'c', 'd']) await rig.upload(`${name}.png`);
  const first = await thumbnail();
  const jobs = await rig.call<{ items: unknown[] }>('GET', '/api/v1/jobs');
  expect(jobs.body.items).toEqual([]);
  expect((await rig.call('POST', '/api/v1/images/a.png/video', {})).status).toBe(202);
  const open = await rig.progress.database.sql`SELECT 1 FROM progress.jobs WHERE kind = 'thumbnail'`;
  expect(open.length).toBeLessThanOrEqual(2);
  await rig.thumbnailDone(first);
  // the end of one lets the next in, until all are made
  for (let left = 3; left > 0; left--) await rig.thumbnailDone(await thumbnail());
  for (const name of ['a', 'b', 'c', 'd']) expect((await image(`${name}.png`)).thumbnail_url).not.toBeNull();
});

it('pictures that were there before get theirs bit by bit, behind everything else', async () => {
  rig = await openImageRig({ settings: { PROGRESS_THUMBNAILS: 0 } });
  for (const name of ['a', 'b', 'c']) await rig.upload(`${name}.png`);
  const { sql } = rig.progress.database;
  await sql`UPDATE progress.images SET thumbnail_due_at = now() - interval '1 day'`;
  const other = await rig.progress.openAnother('progress-2');
  await other[Symbol.asyncDispose]();
  expect(await sql`SELECT 1 FROM progress.jobs`).toHaveLength(0); // switched off
  await rig[Symbol.asyncDispose]();

  rig = await openImageRig({ settings: { PROGRESS_THUMBNAILS: 4 } });
  await rig.progress.service[Symbol.asyncDispose]();
  const { sql: again } = rig.progress.database;
  for (const name of ['a', 'b', 'c']) {
    await again`
      INSERT INTO progress.images (img_name, owner_id, source_type, has_video, video_status, progress, size_bytes, parameters,
        picture, thumbnail_due_at, created_at, updated_at)
      VALUES (${name}, ${rig.ownerId}, 'upload', false, 'none', 0, 1, '{}', ${again.json({
        ...{ key: `images/${name}/img_1`, contentType: 'image/png', width: 9, height: 9, orientation: 6 },
      })}, now() - interval '1 day', now(), now())`;
  }
  await rig.progress.restart();
  for (let left = 3; left > 0; left--) {
    const task = await thumbnail();
    expect(task.spec).toMatchObject({ orientation: 6 });
    const open = await again`SELECT priority FROM progress.jobs WHERE status IN ('pending', 'processing')`;
    expect(open.map((row) => row['priority'])).toEqual([2]);
    await rig.thumbnailDone(task);
  }
  expect((await image('b')).thumbnail_url).toMatch(/v=img_1\.webp$/);
});

it('a picture that no worker can read stays without; what was only in the way is tried again another day', async () => {
  rig = await openImageRig();
  const dueOf = async (name: string) => {
    const { sql } = rig.progress.database;
    const rows = await sql<{ ms: number | null }[]>`
      SELECT (extract(epoch FROM thumbnail_due_at - now()) * 1000)::float8 AS ms FROM progress.images WHERE img_name = ${name}`;
    return rows[0]?.ms ?? null;
  };
  await rig.upload('odd.png');
  const odd = await thumbnail();
  await rig.fail(odd);
  expect(await dueOf('odd.png')).toBeNull();
  await rig.upload('late.png');
  await rig.fail(await thumbnail(), 'the media store has no space left', 'store-full');
  expect(await dueOf('late.png')).toBeGreaterThan(86_000_000);
  expect((await image('late.png')).thumbnail_url).toBeNull();
  const metrics = await rig.progress.metrics.metrics();
  expect(metrics).toContain('millrace_progress_thumbnails_total{outcome="impossible"} 1');
  expect(metrics).toContain('millrace_progress_thumbnails_total{outcome="failed"} 1');
});

it('an image that is deleted while its thumbnail is made leaves nothing, and its name can be taken again at once', async () => {
  rig = await openImageRig();
  await rig.upload('gone.png');
  const late = await thumbnail();
  expect((await rig.call('DELETE', '/api/v1/images/gone.png')).status).toBe(204);
  await rig.upload('gone.png');
  await rig.thumbnailDone(late);
  expect((await image('gone.png')).thumbnail_url).toBeNull();
  expect(await isRemoved(outputOf(late))).toBe(true);
  const { sql } = rig.progress.database;
  // as the slot was taken, the new one may be due in some seconds only
  await sql`UPDATE progress.images SET thumbnail_due_at = now() WHERE thumbnail IS NULL AND NOT EXISTS (
    SELECT 1 FROM progress.jobs WHERE kind = 'thumbnail' AND status = 'pending')`;
  const task = await thumbnail();
  expect(outputOf(task)).not.toBe(outputOf(late));
  await rig.thumbnailDone(task);
  expect((await image('gone.png')).thumbnail_url).toContain(outputOf(task).split('/').at(-1));
});

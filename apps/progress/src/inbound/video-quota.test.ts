/** The quota of videos under concurrent calls of every kind that makes one, on a real PostgreSQL. */
import { newId, systemIdSource } from '@millrace/ids';
import { expect, it } from 'vitest';
import { newVideo, type VideoRecord } from '../core/video.ts';
import { takeVideoRoom } from '../core/video-room.ts';
import { pngHeader } from '../testing/image-rig.ts';
import { openUploadRig } from '../testing/upload-rig.ts';
import { openTestProgress } from '../testing.ts';

function aVideo(ownerId: string): VideoRecord {
  const videoId = newId('vid', systemIdSource);
  const about = { videoId, playbackId: newId('play', systemIdSource), ownerId, title: 'a film' } as const;
  const created = newVideo(
    { ...about, visibility: 'public', origin: 'upload', sourceState: 'ready', processOnSource: false },
    1_000,
  );
  const track = { codec: 'h264', profile: 'High', width: 320, height: 180, frames_per_second: 30, rotation: 0 };
  const video = { ...track, bits_per_second: null, pixel_format: 'yuv420p' };
  const media = { container: 'mov', duration_ms: 4_000, size_bytes: 1, video, audio: null };
  return { ...created, sourceKey: `videos/${videoId}/source`, status: 'completed', media };
}

it('uploads, imports, compositions and videos of images at once never exceed it, and reach it', async () => {
  const most = 9;
  await using rig = await openUploadRig({ settings: { PROGRESS_MAX_VIDEOS: most, PROGRESS_IMPORTS: 1 } });
  const { progress, ownerId, token } = rig;
  const { store } = progress.service;
  const films = [aVideo(ownerId), aVideo(ownerId)];
  for (const film of films) await store.videos.insert(film);
  const names = [1, 2, 3, 4].map((n) => `p${n}.png`);
  for (const name of names) {
    const type = { 'content-type': 'image/png' };
    const sent = await rig.send('POST', `/api/v1/images?img_name=${name}`, type, pngHeader(64, 36));
    expect(sent.status).toBe(201);
  }
  const call = async (path: string, body: object) => (await progress.call('POST', path, { token, body })).status;
  const tus = { 'upload-length': '10', 'upload-metadata': `title ${Buffer.from('a').toString('base64')}` };
  const kinds = [
    async () => (await rig.send('POST', '/api/v1/uploads', tus)).status,
    () => call('/api/v1/videos', { title: 'a film' }),
    () => call('/api/v1/videos', { title: 'a film', url: 'https://192.0.2.1/never.mp4' }),
    () => call('/api/v1/compositions', { videos: films.map(({ videoId }) => videoId) }),
  ];
  const asked = [
    ...Array.from({ length: 16 }, (_, i) => kinds[i % kinds.length]!()),
    ...names.map((name) => call(`/api/v1/images/${name}/video`, {})),
  ];
  const statuses = await Promise.all(asked);
  expect(statuses.filter((status) => status < 300)).toHaveLength(most - films.length);
  // a URL of nobody's network is refused before anything is counted, all others by the quota
  expect(new Set(statuses.filter((status) => status >= 300))).toEqual(new Set([409, 422]));
  expect(await store.videos.countWithComing(ownerId)).toBe(most);

  // what ends without a video gives its place back, a deleted video its own
  const [job] = await progress.database.sql<{ subject: string }[]>`
    SELECT subject FROM progress.jobs WHERE owner_id = ${ownerId} AND kind = 'compose' AND status = 'pending'`;
  if (job !== undefined) expect(await call(`/api/v1/compositions/${job.subject}/cancel`, {})).toBe(202);
  expect((await rig.send('DELETE', `/api/v1/videos/${films[0]!.videoId}`)).status).toBe(204);
  const free = job === undefined ? 1 : 2;
  const again = await Promise.all([1, 2, 3, 4].map(() => call('/api/v1/videos', { title: 'a film' })));
  expect(again.filter((status) => status === 201)).toHaveLength(free);
  const [{ n } = { n: -1 }] = await progress.database.sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM progress.videos WHERE owner_id = ${ownerId}`;
  const [{ counted } = { counted: -2 }] = await progress.database.sql<{ counted: number }[]>`
    SELECT sum(videos)::int AS counted FROM progress.video_counts WHERE owner_id = ${ownerId}`;
  expect(counted).toBe(n);
});

it('who is alone near it waits for those who share a transaction, and counts them', async () => {
  await using progress = await openTestProgress();
  const { store } = progress.service;
  const { sql } = progress.database;
  const ownerId = newId('own', systemIdSource);
  const waiting = async () => (await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).length;
  let alone: Promise<boolean> | undefined;
  await store.transaction(async (tx) => {
    const shared = { ...tx, isShared: true, needsOwn: () => expect.unreachable('it is far below') };
    expect((await takeVideoRoom(shared, ownerId, 1, 0)).ok).toBe(true);
    alone = store.transaction(async (own) => (await takeVideoRoom(own, ownerId, 1)).ok);
    await expect.poll(waiting, { timeout: 10_000, interval: 10 }).toBe(1);
    await tx.videos.insert(aVideo(ownerId));
  });
  expect(await alone).toBe(false);
  // so near to it nobody shares
  const near = store.shared(undefined, async (tx) => [tx.isShared, (await takeVideoRoom(tx, ownerId, 9)).ok]);
  expect(await near).toEqual([false, true]);
});

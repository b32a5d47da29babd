import { openPostgresEventLog } from '@millrace/eventlog';
import { silentLogger } from '@millrace/log';
import { runMigrations } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newImage, videoAsked, videoFailed, videoStarted } from '../core/image.ts';
import { createImageRows } from './image-rows.ts';

/** As many here; MILLRACE_IMAGE_ROWS=1000000 makes it the million. Plans depend on the statistics, which are those of a large table already. */
const wished = process.env['MILLRACE_IMAGE_ROWS'];
const images = Number(wished ?? 100_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const { sql } = database;
  const eventLog = await openPostgresEventLog({ sql, source: 'progress', log: silentLogger, wake: 'memory' });
  await eventLog[Symbol.asyncDispose]();
  await runMigrations({ sql, schema: 'progress', dir: new URL('../../migrations', import.meta.url).pathname });
  await sql.unsafe('SET statement_timeout = 0; ALTER TABLE progress.image_history SET UNLOGGED');
  await sql.unsafe('ALTER TABLE progress.picture_imports SET UNLOGGED; ALTER TABLE progress.images SET UNLOGGED');
  const indexes = await sql<{ indexname: string; indexdef: string }[]>`
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'progress' AND tablename = 'images' AND indexname <> 'images_pkey'`;
  // indexes that are built afterwards are built many times faster, and are the same
  for (const { indexname } of indexes) await sql.unsafe(`DROP INDEX progress.${indexname}`);
  await sql.unsafe(`
    INSERT INTO progress.images (img_name, owner_id, source_type, has_video, video_status, video_id, playback_id, video_key,
      task_id, progress, size_bytes, parameters, before, picture, thumbnail_due_at, created_at, updated_at)
    SELECT 'img-' || lpad(n::text, 8, '0'), 'own_' || (n % 37), CASE WHEN n % 41 = 0 THEN 'scan' ELSE 'upload' END,
      n % 10 = 0, CASE WHEN n % 10 = 0 THEN 'completed' WHEN n % 1000 = 1 THEN 'failed' WHEN n % 1000 = 3 THEN 'pending' ELSE 'none' END,
      CASE WHEN n % 10 = 0 THEN 'vid_' || n END, CASE WHEN n % 10 = 0 THEN 'play_' || n END,
      CASE WHEN n % 10 = 0 THEN 'videos/' || n END, NULL, 0, 1, '{}', CASE WHEN n % 1000 = 3 THEN '{}'::jsonb END,
      CASE WHEN n % 3 = 0 THEN '{}'::jsonb END, CASE WHEN n % 5 > 0 THEN now() END, now(), now()
    FROM generate_series(1, ${images}) AS n`);
  await Promise.all(indexes.map(({ indexdef }) => sql.unsafe(indexdef)));
  await sql.unsafe('ANALYZE progress.images');
}, 120_000);
afterAll(async () => database[Symbol.asyncDispose]());

/** The statements that `run` sends, as the driver has them. */
async function statementsOf(run: () => Promise<unknown>): Promise<{ text: string; parameters: unknown[] }[]> {
  const sent: { text: string; parameters: unknown[] }[] = [];
  const { options } = database.sql as unknown as { options: { debug: unknown } };
  options.debug = (_connection: number, text: string, parameters: unknown[]) => void sent.push({ text, parameters });
  try {
    await run();
  } finally {
    options.debug = false;
  }
  return sent;
}

async function planOf(text: string, parameters: unknown[]): Promise<string> {
  const plan = await database.sql.begin(async (tx) => {
    await tx.unsafe('SET LOCAL plan_cache_mode = force_generic_plan');
    return tx.unsafe(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, parameters as never[]);
  });
  return plan.map((row) => String(row['QUERY PLAN'])).join('\n');
}

const rows = () => createImageRows(database.sql);
const own = { ownerId: 'own_1' };
const all = { ownerId: undefined };
const page = { after: 'img-00050000', limit: 21 };
const thousand = Array.from({ length: 1_000 }, (_, i) => `img-${String(i * 97 + 1).padStart(8, '0')}`);

it.each([
  ['has_video', 'images_pkey', () => rows().hasVideo('img-00001000')],
  ['the status', 'images_pkey', () => rows().get('img-00001000')],
  ['a thousand statuses', 'images_pkey', () => rows().getMany(thousand)],
  ['a list', 'images_by_owner', () => rows().list(own, page)],
  ['a list by status', 'images_by_owner_status', () => rows().list({ ...own, status: 'failed' }, page)],
  ['a list by source', 'images_by_owner_source', () => rows().list({ ...own, sourceType: 'scan' }, page)],
  ['a list by has_video', 'images_by_owner_video', () => rows().list({ ...own, hasVideo: true }, page)],
  [
    'a list by prefix',
    'images_by_owner',
    () => rows().list({ ...own, prefix: 'img-0004' }, { ...page, after: undefined }),
  ],
  ['everybody’s list', 'images_pkey', () => rows().list(all, page)],
  ['everybody’s by status', 'images_by_status', () => rows().list({ ...all, status: 'pending' }, page)],
  ['everybody’s by has_video', 'images_by_has_video', () => rows().list({ ...all, hasVideo: true }, page)],
  ['the image of a video', 'images_by_video', () => rows().nameOfVideo('vid_1000')],
  ['the next thumbnail', 'images_thumbnail_due', () => rows().lockThumbnailDue(Date.now())],
] as const)('%s is one statement on one table, and reads a few blocks by index (%s)', async (_name, index, run) => {
  const sent = await statementsOf(run);
  expect(sent).toHaveLength(1);
  const { text = '', parameters = [] } = sent[0] ?? {};
  expect(text.match(/\b(FROM|JOIN)\s+\S+/g)).toHaveLength(1);
  const given = parameters.map((one) => (typeof one === 'string' && one.startsWith('{') ? thousand : one));
  const plan = await planOf(text, given);
  expect(plan).not.toContain('Seq Scan');
  if (index === 'images_pkey') expect(plan).toContain(index);
  // whichever index it is, what is read does not grow with the table
  const [, hit, read] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? [];
  expect(Number(hit ?? 0) + Number(read ?? 0), plan).toBeLessThan(text.includes('ANY') ? 5_000 : 300);
});

it('any image is found, whichever it is; asked for by MILLRACE_IMAGE_ROWS, how long that takes is said', async () => {
  const rounds = wished === undefined ? 20 : 1_000;
  const name = (n: number) => `img-${String((n % images) + 1).padStart(8, '0')}`;
  /** Far apart, so that they are in different blocks. */
  const some = (round: number) => (round * 7_919 * 13) % images;
  const questions = {
    has_video: async (n: number) => (await rows().hasVideo(name(n)))?.hasVideo === ((n + 1) % 10 === 0),
    status: async (n: number) => (await rows().get(name(n)))?.imgName === name(n),
    'status of 100': async (n: number) =>
      (await rows().getMany(Array.from({ length: 100 }, (_, i) => name(n + i * 613)))).length === 100,
    'page of 20': async (n: number) =>
      (await rows().list({ ...own, hasVideo: true }, { after: name(n), limit: 21 })).length >= 0,
  };
  for (const [question, ask] of Object.entries(questions)) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startMs = performance.now();
      expect(await ask(some(round)), `${question} ${some(round)}`).toBe(true);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(2);
    if (wished !== undefined) console.info(`${images} images, ${question}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  }
}, 120_000);

it('of each image the newest 1,000 changes are kept', async () => {
  const { sql } = database;
  const store = createImageRows(sql);
  let image = newImage(
    { imgName: 'busy', ownerId: 'own_9', sourceType: 'upload', prompt: undefined, parameters: {} },
    1,
  );
  await store.insert(image);
  await sql.begin(async (tx) => {
    const within = createImageRows(tx);
    for (let round = 0; round < 340; round++) {
      const taskId = `job_${round}`;
      for (const fold of [
        () => videoAsked(image, { taskId, parameters: {}, accessSha256: undefined }, round),
        () => videoStarted(image, taskId, round),
        () => videoFailed(image, taskId, { reason: 'no', progress: 10 }, round),
      ]) {
        const folded = fold();
        image = folded.image;
        await within.save(image, folded.changes);
      }
    }
  });
  const changes = await store.history('busy', 2_000, undefined);
  expect(changes).toHaveLength(1_000);
  expect([changes[0]?.change, changes.at(-1)?.change]).toEqual([1_020, 21]);
  expect(await store.history('busy', 10, 22)).toMatchObject([{ change: 21 }]);
  expect(await store.get('busy')).toEqual(image);
});

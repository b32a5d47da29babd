/** Imports from a real HTTP server on loopback, which is allowed here and nowhere else. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Video } from '@millrace/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createImportRows } from '../outbound/import-rows.ts';
import { videoJobs } from '../testing/video-jobs.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

const film = new Uint8Array(300_000).map((_, i) => i % 251);
let answer: RequestListener = (_, response) => void response.end(film);
const server = createServer((request, response) => answer(request, response));
let url: string;
let progress: TestProgress;
let token: string;
let ownerId: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/film.mp4?token=secret`;
  progress = await openTestProgress({
    jobTypes: videoJobs(),
    settings: { PROGRESS_ALLOW_NETWORKS: ['127.0.0.1'], PROGRESS_MAX_UPLOAD_BYTES: 20_000_000 },
  });
  ({ token, ownerId } = await progress.tokenOf('broadcaster'));
});
afterAll(async () => {
  await progress[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function importing(from: string) {
  const made = await progress.call<{ video: Video; upload_url: string | null; detail?: string }>(
    'POST',
    '/api/v1/videos',
    {
      ...{ token, body: { title: 'a film', url: from } },
    },
  );
  const get = async () =>
    (await progress.call<Video>('GET', `/api/v1/videos/${made.body.video.video_id}`, { token })).body;
  return { made, get };
}

async function stored(videoId: string): Promise<Buffer> {
  const object = await progress.mediaStore.get(`videos/${videoId}/source`);
  if (!object.ok) throw new Error(object.error.kind);
  const pieces: Uint8Array[] = [];
  for await (const piece of object.value.bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What is kept of an import, until its end. */
async function keptOf({ video_id: id }: Video): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of progress.mediaStore.list(`imports/${id}/`)) keys.push(key);
  return keys;
}

const factsOf = ({ video_id: id }: Video) => progress.facts(id.replace('vid_', 'imp_'));

const settled = { timeout: 30_000, interval: 20 };

describe('an original from a URL', () => {
  it('is fetched, stored byte for byte, and processed', async () => {
    answer = (_, response) => void response.end(film);
    const { made, get } = await importing(url);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ upload_url: null, video: { origin: 'import', source_state: 'importing' } });
    await expect.poll(async () => (await get()).source_state, settled).toBe('ready');
    const video = await get();
    expect(video).toMatchObject({ size_bytes: film.length, current_task_id: expect.stringContaining('job_') });
    expect(await stored(video.video_id)).toEqual(Buffer.from(film));
    expect(JSON.stringify(video)).not.toContain('secret');
  });

  it('is refused at once where the URL is ours or no web address', async () => {
    for (const bad of ['http://169.254.169.254/latest/', 'http://10.0.0.1/a.mp4', 'ftp://example.com/a.mp4']) {
      const { made } = await importing(bad);
      expect(made.status).toBe(422);
      expect(made.body.detail).toMatch(/not a public address|http or https/);
    }
  });

  it('says why it did not come: not there, too large, announced or not', async () => {
    const reasons: [RequestListener, RegExp][] = [
      [(_, response) => void response.writeHead(404).end(), /answered 404/],
      [(_, response) => void response.writeHead(200, { 'content-length': 30_000_000 }).end(), /at most 20000000 bytes/],
      [(_, response) => void response.writeHead(200).end(new Uint8Array(20_000_001)), /at most 20000000 bytes/],
      [(_, response) => void response.writeHead(200).end(), /empty/],
      [
        (_, response) => void response.writeHead(302, { location: 'http://192.168.0.1/' }).end(),
        /not a public address/,
      ],
    ];
    for (const [listener, reason] of reasons) {
      answer = listener;
      const { get } = await importing(url);
      await expect.poll(async () => (await get()).source_state, settled).toBe('failed');
      expect(JSON.stringify(await get())).toMatch(reason);
    }
  });

  it('is fetched again when its server broke off', async () => {
    let asked = 0;
    answer = (_, response) => {
      if (asked++ > 0) return void response.end(film);
      response
        .writeHead(200, { 'content-length': film.length })
        .write(film.subarray(0, 1_000), () => response.destroy());
    };
    const { get } = await importing(url);
    await expect.poll(async () => (await get()).source_state, settled).toBe('ready');
    expect(asked).toBe(2);
    expect((await get()).size_bytes).toBe(film.length);
  });

  it('goes on where its server broke off, and says all the while how far it is', async () => {
    const asked: unknown[] = [];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    answer = (request, response) => {
      const { range, 'if-range': validator } = request.headers;
      asked.push(range === undefined ? undefined : validator);
      if (range === undefined) {
        response.writeHead(200, { 'content-length': film.length, etag: '"one"' });
        // breaks off once the first part was taken in
        return void response.write(film.subarray(0, 100_000), () => void held.then(() => response.destroy()));
      }
      const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
      const headers = { 'content-range': `bytes ${from}-${film.length - 1}/${film.length}`, etag: '"one"' };
      response.writeHead(206, headers).end(film.subarray(from));
    };
    const { made, get } = await importing(url);
    const coming = { received_bytes: 100_000, total_bytes: film.length };
    await expect.poll(async () => (await get()).source_progress, settled).toEqual(coming);
    goOn();
    await expect.poll(async () => (await get()).source_state, settled).toBe('ready');
    expect(asked).toEqual([undefined, '"one"']);
    expect(await stored(made.body.video.video_id)).toEqual(Buffer.from(film));
    expect((await get()).source_progress).toBeNull();
    await expect.poll(async () => (await factsOf(made.body.video)).at(-1)?.type, settled).toBe('JobCompleted');
    const facts = await factsOf(made.body.video);
    expect(facts[0]?.type).toBe('JobQueued');
    const moved = facts.filter((fact) => fact.type === 'JobProgressed');
    expect(moved).toContainEqual(
      expect.objectContaining({ progress: 33.3, bytes: { received: 100_000, total: film.length } }),
    );
  });

  it('is of one version, however its server answers when it is asked for the rest', async () => {
    const newer = film.map((byte) => 255 - byte);
    const about = `bytes 0-${film.length - 1}/${film.length}`;
    const rests: RequestListener[] = [
      (_, response) => void response.writeHead(200, { etag: '"two"' }).end(newer),
      (_, response) => void response.writeHead(206, { etag: '"two"', 'content-range': about }).end(newer),
    ];
    for (const rest of rests) {
      let asked = 0;
      answer = (request, response) => {
        if (request.headers.range !== undefined) return rest(request, response);
        if (asked++ > 0) return void response.writeHead(200, { etag: '"two"' }).end(newer);
        response
          .writeHead(200, { 'content-length': film.length, etag: '"one"' })
          .write(film.subarray(0, 100_000), () => response.destroy());
      };
      const { made, get } = await importing(url);
      await expect.poll(async () => (await get()).source_state, settled).toBe('ready');
      expect(await stored(made.body.video.video_id)).toEqual(Buffer.from(newer));
    }
  }, 60_000);

  it('goes on behind what was kept when the service is started anew, and never mixes versions', async () => {
    const large = new Uint8Array(12_000_000).map((_, i) => (i >> 8) ^ i);
    const newer = large.map((byte) => 255 - byte);
    type Rest = { readonly says: RequestListener; readonly film: Uint8Array; readonly bytes: number };
    const part: RequestListener = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
      const headers = { 'content-range': `bytes ${from}-${large.length - 1}/${large.length}`, etag: '"one"' };
      response.writeHead(206, headers).end(large.subarray(from));
    };
    const whole =
      (etag: string, film: Uint8Array): RequestListener =>
      (_, response) =>
        void response.writeHead(200, { 'content-length': film.length, etag }).end(film);
    const rests: readonly Rest[] = [
      { says: part, film: large, bytes: large.length },
      { says: whole('"two"', newer), film: newer, bytes: 9_000_000 + newer.length },
    ];
    for (const { says, film: wanted, bytes } of rests) {
      const asked: unknown[] = [];
      let sent = 0;
      answer = (request, response) => {
        const { range, 'if-range': validator } = request.headers;
        asked.push(range && [range, validator]);
        const { end } = response;
        response.end = ((body?: Uint8Array) => {
          sent += body?.length ?? 0;
          return end.call(response, body, 'utf8');
        }) as typeof end;
        if (range !== undefined) return says(request, response);
        sent += 9_000_000;
        response.writeHead(200, { 'content-length': large.length, etag: '"one"' }).write(large.subarray(0, 9_000_000));
      };
      const { made, get } = await importing(url);
      const came = async () => (await get()).source_progress?.received_bytes;
      await expect.poll(came, settled).toBe(9_000_000);
      await progress.restart();
      await expect.poll(async () => (await get()).source_state, settled).toBe('ready');
      expect(asked).toEqual([undefined, ['bytes=9000000-', '"one"']]);
      expect(sent).toBe(bytes);
      expect((await stored(made.body.video.video_id)).equals(Buffer.from(wanted))).toBe(true);
      await expect.poll(() => keptOf(made.body.video), settled).toEqual([]);
    }
  }, 60_000);

  it('is left to whoever was quicker, so that parts follow each other', async () => {
    let open = false;
    answer = (_, response) => {
      open = true;
      response.writeHead(200).write('some');
    };
    const { made } = await importing(url);
    const id = made.body.video.video_id;
    await expect.poll(() => open, settled).toBe(true);
    const rows = createImportRows(progress.database.sql);
    const version = (name: string) => ({ validator: `"${name}"`, totalBytes: 10, folder: `imports/${id}/${name}` });
    const part = (startByte: number, sizeBytes: number, key: string) => ({ startByte, sizeBytes, key });
    expect(await rows.kept(id)).toBeUndefined();
    expect(await rows.keep(id, undefined, version('a'))).toBe(true);
    expect(await rows.keep(id, undefined, version('b'))).toBe(false);
    expect(await rows.addPart(id, version('a').folder, part(0, 6, 'mine'), false)).toBe(true);
    expect(await rows.addPart(id, version('a').folder, part(0, 4, 'late'), false)).toBe(false);
    expect(await rows.kept(id)).toEqual({ ...version('a'), keptBytes: 6, parts: [part(0, 6, 'mine')] });
    expect(await rows.keep(id, version('a').folder, version('c'))).toBe(true);
    expect(await rows.addPart(id, version('a').folder, part(6, 4, 'late'), false)).toBe(false);
    expect(await rows.kept(id)).toEqual({ ...version('c'), keptBytes: 0, parts: [] });
    await progress.call('DELETE', `/api/v1/videos/${id}`, { token });
    server.closeAllConnections();
  });

  it('ends with its video', async () => {
    let open = false;
    answer = (_, response) => {
      open = true;
      response.writeHead(200).write('some');
    };
    const { made } = await importing(url);
    await expect.poll(() => open, settled).toBe(true);
    const path = `/api/v1/videos/${made.body.video.video_id}`;
    expect((await progress.call('DELETE', path, { token })).status).toBe(204);
    const rows = await progress.database.sql`SELECT 1 FROM progress.imports WHERE owner_id = ${ownerId}`;
    expect(rows).toHaveLength(0);
    await expect.poll(async () => (await factsOf(made.body.video)).at(-1)?.type, settled).toBe('JobCancelled');
    server.closeAllConnections();
  });
});

/**
 * kill -9 of progress at random moments while files are uploaded: every file arrives byte for byte, each at most once, and nothing is
 * left of its parts. Progress runs as a process of its own, from the bundle, on a real PostgreSQL and a folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { openTestProgress, type TestProgress } from '../../apps/progress/src/testing.ts';
import { openFolderStore } from '../../libs/media-store/src/index.ts';
import { freePort } from '../rig/free-port.ts';
import { ensureRunBundle } from '../setup/bundle.mjs';

interface KillUploadsPlan {
  readonly durationMs: number;
  readonly say: (line: string) => void;
}

const atOnce = 4;
const mostBytes = 48 * 1024 * 1024;

/** What went wrong; empty when nothing did. */
export async function killUploads({ durationMs, say }: KillUploadsPlan): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-uploads-'));
  const mediaStore = await openFolderStore({ folder: join(folder, 'media') });
  await using progress = await openTestProgress({ mediaStore, jobTypes: [] });
  const { token } = await progress.tokenOf('broadcaster');
  const { store } = progress.service;
  await progress.service[Symbol.asyncDispose](); // the work is the victim's alone
  const ports = { http: await freePort(), internal: await freePort() };
  const bundle = await ensureRunBundle('progress');
  const start = () => startProgress(bundle, progress, folder, ports);
  let child = await start();
  const wrong: string[] = [];
  const until = performance.now() + durationMs;
  let [kills, files] = [0, 0];
  const client = async () => {
    while (performance.now() < until) {
      const bytes = randomBytes(1 + Math.floor(Math.random() ** 2 * mostBytes));
      const videoId = await upload(`http://127.0.0.1:${ports.http}/api/v1/uploads`, token, bytes);
      const arrived = await hashOf(mediaStore, store, videoId);
      if (arrived !== createHash('sha256').update(bytes).digest('hex')) wrong.push(`${videoId}: ${arrived}`);
      files++;
    }
  };
  const killer = async () => {
    while (performance.now() < until) {
      await sleep(200 + Math.random() * 2_500);
      child.kill('SIGKILL');
      child = await start();
      kills++;
    }
  };
  try {
    await Promise.all([killer(), ...Array.from({ length: atOnce }, client)]);
    say(`kill-uploads: ${files} files over ${kills} kills`);
    const left = await untilNothingIsLeft(mediaStore);
    if (left.length > 0) wrong.push(`parts are left: ${left.slice(0, 5).join(', ')}`);
    const videos = await progress.database.sql`SELECT 1 FROM progress.videos WHERE source_state = 'ready'`;
    if (videos.length !== files) wrong.push(`expected ${files} videos with their originals, got ${videos.length}`);
    return wrong;
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startProgress(
  bundle: string,
  progress: TestProgress,
  folder: string,
  ports: { readonly http: number; readonly internal: number },
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [bundle], {
    env: {
      ...process.env,
      ...{ DATABASE_URL: progress.database.url, DATA_DIR: folder, MEDIA_DIR: join(folder, 'media') },
      ...{ HTTP_PORT: String(ports.http), INTERNAL_HTTP_PORT: String(ports.internal), LOG_LEVEL: 'error' },
      MILLRACE_SERVICE_TOKEN: 'a-service-token-of-a-test',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let waited = 0; waited < 60_000; waited += 50) {
    const ready = await fetch(`http://127.0.0.1:${ports.internal}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return child;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error('progress was not ready within 60 s');
}

/** Sends `bytes` however often the server dies; gives the video's id. */
async function upload(endpoint: string, token: string, bytes: Buffer): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  // the video comes first, so that an answer lost at the creation of the upload makes no second one
  const made = await eventually(async () => {
    const answer = await fetch(endpoint.replace('uploads', 'videos'), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': keyOf(bytes) },
      body: JSON.stringify({ title: 'a film' }),
    });
    return answer.status === 201 ? ((await answer.json()) as { video: { video_id: string } }) : undefined;
  });
  const { video_id } = made.video;
  await new Promise<void>((resolve, reject) => {
    const sent = new Upload(bytes, {
      ...{ endpoint, headers, metadata: { video_id }, retryDelays: Array.from({ length: 1_000 }, () => 200) },
      ...(Math.random() < 0.5 ? { chunkSize: 3_000_000 } : {}),
      onSuccess: () => resolve(),
      onError: reject,
    });
    sent.start();
  });
  return video_id;
}

async function hashOf(
  mediaStore: Awaited<ReturnType<typeof openFolderStore>>,
  store: TestProgress['service']['store'],
  videoId: string,
): Promise<string> {
  return eventually(async () => {
    const video = await store.videos.get(videoId);
    if (video?.sourceState === 'failed') return `failed: ${video.sourceError ?? ''}`;
    if (video?.sourceState !== 'ready') return undefined;
    const object = await mediaStore.get(`videos/${videoId}/source`);
    if (!object.ok) return object.error.kind;
    const hash = createHash('sha256');
    for await (const piece of object.value.bytes) hash.update(piece);
    return hash.digest('hex');
  });
}

async function untilNothingIsLeft(mediaStore: Awaited<ReturnType<typeof openFolderStore>>): Promise<readonly string[]> {
  let left: string[] = [];
  for (let waited = 0; waited < 60_000; waited += 500) {
    left = [];
    for await (const { key } of mediaStore.list('uploads/')) left.push(key);
    if (left.length === 0) return [];
    await sleep(500);
  }
  return left;
}

async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let waited = 0; waited < 120_000; waited += 100) {
    const answer = await ask().catch(() => undefined); // the server is being killed all the time
    if (answer !== undefined) return answer;
    await sleep(100);
  }
  throw new Error('expected an answer within two minutes');
}

function keyOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpecOf } from '@millrace/api';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHttpVideoGenerator } from '../outbound/http-video-generator.ts';
import { describeGenerator, someOrder } from '../testing/generator-contract.ts';
import { type GeneratorServer, openGeneratorServer } from '../testing/generator-server.ts';
import { createMemoryGenerator } from '../testing/memory-generator.ts';
import { defaultEncoder } from './encoder-settings.ts';
import { createGenerateTask } from './generate-task.ts';

describeGenerator('in memory', async () => {
  const generator = createMemoryGenerator();
  return { generator, behind: generator, [Symbol.asyncDispose]: async () => {} };
});
describeGenerator('over HTTP', async () => {
  const server = await openGeneratorServer();
  const generator = createHttpVideoGenerator({ name: 'acme', url: server.url, key: 'k-1' });
  return { generator, behind: server.behind, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
});

let folder = '';
let store: MediaStore;
let server: GeneratorServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-generate-'));
  store = await openFolderStore({ folder: join(folder, 'media') });
  server = await openGeneratorServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const asset = 'videos/vid_1/ast_1';
async function attempt(signal = new AbortController().signal, report: (done: number) => void = () => {}) {
  const generate = createGenerateTask({
    settings: { ...defaultEncoder, preset: 'ultrafast', threads: 1, niceness: 0 },
    generatorOf: ({ name, url }) => createHttpVideoGenerator({ name, url, key: 'k-1', timeoutMs: 5_000 }),
    pollMs: 10,
  });
  const spec: SpecOf<'generate'> = {
    ...{ kind: 'generate', provider: { name: 'acme', url: server.url }, ...someOrder, audio: null, caption: null },
    ...{ output: `${asset}/a.mp4`, asset },
  };
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  return { result: await generate(spec, { signal, scratch, store, log: silentLogger, inputs: [], report }) };
}

it('what the provider makes is brought to the size and length that were asked for', async () => {
  const path = join(folder, 'made.webm');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=50x50:rate=25:duration=0.6'],
    ...['-c:v', 'libvpx', '-deadline', 'realtime', path],
  ]);
  server.behind.video = await readFile(path);
  server.behind.becomes({ kind: 'completed' });
  const { result } = await attempt();
  const video = { width: 64, height: 36, frames_per_second: 10, codec: 'h264' };
  expect(result).toMatchObject({ ok: true, value: { kind: 'generate', media: { duration_ms: 1_000, video } } });
  expect([...server.shown]).toEqual(['Bearer k-1']);
  const kept = await store.get(`${asset}.m3u8`);
  expect(kept.ok).toBe(true);
});

it('what is no video, a failure and a provider that sends one elsewhere end the task with their reasons', async () => {
  server.behind.video = new TextEncoder().encode('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n');
  server.behind.becomes({ kind: 'completed' });
  expect((await attempt()).result).toMatchObject({ ok: false, error: { code: 'bad-media', retryable: false } });
  server.behind.becomes({ kind: 'failed', reason: 'no such style', retryable: false });
  const reason = 'the provider failed: no such style';
  expect((await attempt()).result).toEqual({ ok: false, error: { code: 'provider-failed', reason, retryable: false } });
  for (const [override, code, retryable] of [
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'provider-unavailable', true],
    [{ status: 503 }, 'provider-unavailable', true],
    [{ status: 403 }, 'provider-refused', false],
    [{ status: 202, body: '{"id":"../../etc"}' }, 'provider-broken', false],
    [{ status: 202, body: `"${'x'.repeat(70_000)}"` }, 'provider-broken', false],
  ] as const) {
    server.override = override;
    expect((await attempt()).result).toMatchObject({ ok: false, error: { code, retryable } });
  }
  server.override = undefined;
});

it('a task that is cancelled cancels at the provider, one that moves to another worker does not', async () => {
  server.behind.becomes({ kind: 'working', done: 0.5 });
  for (const reason of ['draining', 'cancelled']) {
    const abort = new AbortController();
    const stopped = Object.assign(new Error('stopped'), { reason });
    const running = attempt(abort.signal, (done) => {
      expect(done).toBeCloseTo(0.35);
      abort.abort(stopped);
    });
    await expect(running).rejects.toBe(stopped);
    expect(server.behind.cancelled.size).toBe(reason === 'cancelled' ? 1 : 0);
  }
});

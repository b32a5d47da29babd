/** What every video generator must do, whoever does it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GeneratorOrder, VideoGenerator } from '../core/video-generator.ts';
import type { MemoryGenerator } from './memory-generator.ts';

export const someOrder: GeneratorOrder = {
  ...{
    request_id: 'job_1',
    img_name: 'a.png',
    image_url: 'http://millrace/a',
    prompt: 'waves',
    parameters: { seed: 1 },
  },
  ...{ motion: 'still', duration_ms: 1_000, width: 64, height: 36, frames_per_second: 10 },
};

export interface GeneratorUnderTest extends AsyncDisposable {
  readonly generator: VideoGenerator;
  /** What is behind it. */
  readonly behind: MemoryGenerator;
}

export function describeGenerator(name: string, open: () => Promise<GeneratorUnderTest>): void {
  describe(`video generator: ${name}`, () => {
    let test: GeneratorUnderTest;
    let folder = '';
    const { signal } = new AbortController();
    beforeAll(async () => {
      test = await open();
      folder = await mkdtemp(join(tmpdir(), 'millrace-generator-'));
    });
    afterAll(async () => {
      await test[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    it('the same request is begun once, and the order comes as it was given', async () => {
      const id = expectOk(await test.generator.begin(someOrder, signal), 'begin');
      expect(expectOk(await test.generator.begin(someOrder, signal), 'again')).toBe(id);
      expect(expectOk(await test.generator.begin({ ...someOrder, request_id: 'job_2' }, signal), 'other')).not.toBe(id);
      expect(test.behind.orders.get(id)).toEqual(someOrder);
    });

    it('it says how far it is, that it is done, and why it failed', async () => {
      const id = expectOk(await test.generator.begin(someOrder, signal), 'begin');
      const states = [
        { kind: 'working', done: undefined },
        { kind: 'working', done: 0.5 },
        { kind: 'completed' },
        { kind: 'failed', reason: 'no such style', retryable: false },
        { kind: 'failed', reason: 'try later', retryable: true },
      ] as const;
      for (const state of states) {
        test.behind.becomes(state);
        expect(await test.generator.state(id, signal)).toEqual({ ok: true, value: state });
      }
    });

    it('the video comes byte for byte', async () => {
      const id = expectOk(await test.generator.begin(someOrder, signal), 'begin');
      test.behind.video = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
      const path = join(folder, 'video');
      expect(await test.generator.fetch(id, path, signal)).toEqual({ ok: true, value: 100_000 });
      expect(Buffer.compare(await readFile(path), test.behind.video)).toBe(0);
    });

    it('what is unknown is refused for good, and cancelled without a word', async () => {
      const refused = { ok: false, error: { code: 'provider-refused', retryable: false } };
      expect(await test.generator.state('gen-none', signal)).toMatchObject(refused);
      expect(await test.generator.fetch('gen-none', join(folder, 'none'), signal)).toMatchObject(refused);
      expect(await test.generator.cancel('gen-none', signal)).toEqual({ ok: true, value: undefined });
      const id = expectOk(await test.generator.begin(someOrder, signal), 'begin');
      expect(await test.generator.cancel(id, signal)).toEqual({ ok: true, value: undefined });
      expect(test.behind.cancelled).toContain(id);
    });
  });
}

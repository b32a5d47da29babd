import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/log';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProbedFiles } from './probed-files.ts';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-probed-'));
  program = join(folder, 'counting-ffprobe');
  await writeFile(program, `#!/bin/sh\necho once >>"${folder}/starts"\nexec ffprobe "$@"\n`);
  await chmod(program, 0o700);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const starts = async () => (await readFile(join(folder, 'starts'), 'utf8')).trim().split('\n').length;
const writeTone = (path: string, seconds: number) =>
  spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `sine=duration=${seconds}`, path]);

it('a file is looked at once, until it is another one; one that cannot be read is looked at each time', async () => {
  const files = new ProbedFiles();
  const options = { program, signal: new AbortController().signal, log: silentLogger };
  const path = join(folder, 'tone.wav');
  writeTone(path, 1);
  const first = expectOk(await files.probe(path, options), 'the tone');
  expect(expectOk(await files.probe(path, options), 'the tone')).toEqual(first);
  expect(await starts()).toBe(1);

  writeTone(path, 2);
  expect(expectOk(await files.probe(path, options), 'the longer tone').durationMs).toBe(2_000);
  expect(await starts()).toBe(2);

  await writeFile(path, 'no media');
  expect((await files.probe(path, options)).ok).toBe(false);
  expect((await files.probe(path, options)).ok).toBe(false);
  expect(await starts()).toBe(4);
  expect((await files.probe(join(folder, 'missing'), options)).ok).toBe(false);
});

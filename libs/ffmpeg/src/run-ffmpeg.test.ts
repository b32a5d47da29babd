import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FfmpegRun, runFfmpeg } from './run-ffmpeg.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-ffmpeg-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const picture = (seconds: number) =>
  ({ kind: 'graph', graph: `testsrc2=size=64x36:rate=25:duration=${seconds}` }) as const;

function run(options: Partial<FfmpegRun>) {
  return runFfmpeg({ inputs: [], args: [], signal: never, log: silentLogger, ...options });
}

/** Processes whose command line has `mark` in it. */
async function running(mark: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(mark) && pid !== String(process.pid)) found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** Waits until `holds`, which a process outside is bringing about. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to hold');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/bash\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

it('writes its output and says how far it is, up to the end', async () => {
  const output = join(folder, 'whole.mp4');
  const seen: number[] = [];
  const args = ['-c:v', 'libx264', '-preset', 'ultrafast', output];
  expect(await run({ inputs: [picture(4)], args, onProgress: (ms) => seen.push(ms) })).toMatchObject({ ok: true });
  expect((await stat(output)).size).toBeGreaterThan(1_000);
  expect(seen.at(-1)).toBeGreaterThan(3_800);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

it('hands what goes to its standard output to a reader, with back pressure', async () => {
  let bytes = 0;
  const args = ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  const onOutput = async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const piece of pieces) bytes += piece.byteLength;
  };
  expect((await run({ inputs: [picture(2)], args, onOutput })).ok).toBe(true);
  expect(bytes).toBe(64 * 36 * 50);
});

it('ends when its reader fails, with the error of the reader', async () => {
  const args = ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  const onOutput = async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const _ of pieces) throw new Error('the disk is full');
  };
  await expect(run({ inputs: [picture(3_600)], args, onOutput })).rejects.toThrow('the disk is full');
});

it('is gone half a second after an abort, and leaves no process', async () => {
  const output = join(folder, 'aborted-run.mp4');
  const abort = new AbortController();
  let abortedAt = 0;
  const onProgress = () => {
    abortedAt ||= performance.now();
    abort.abort(new Error('cancelled by its owner'));
  };
  const args = ['-c:v', 'libx264', output];
  const input = { ...picture(36_000), options: ['-re'] };
  await expect(run({ inputs: [input], args, signal: abort.signal, onProgress })).rejects.toThrow(
    'cancelled by its owner',
  );
  expect(performance.now() - abortedAt).toBeLessThan(500);
  expect(await running('aborted-run')).toEqual([]);
});

it('a program that will not end, and what it started, are killed a moment later', async () => {
  const started = join(folder, 'started');
  const program = await script(
    'deaf-tree',
    `trap '' TERM; (trap '' TERM; sleep 611) & touch ${started}; sleep 611; wait`,
  );
  const abort = new AbortController();
  const ending = run({ program, signal: abort.signal });
  await until(() =>
    stat(started).then(
      () => true,
      () => false,
    ),
  );
  const abortedAt = performance.now();
  abort.abort(new Error('enough'));
  await expect(ending).rejects.toThrow('enough');
  expect(performance.now() - abortedAt).toBeLessThan(600);
  await until(async () => (await running('sleep\x00611')).length === 0 && (await running('deaf-tree')).length === 0);
});

it('what a program leaves behind in its group when it ends is killed', async () => {
  const program = await script('leaver', 'sleep 613 >/dev/null 2>&1 3>&1 &');
  expect((await run({ program })).ok).toBe(true);
  await until(async () => (await running('sleep\x00613')).length === 0);
});

it('ends with its owner when that is killed with SIGKILL', async () => {
  const source = `import { runFfmpeg } from ${JSON.stringify(new URL('./run-ffmpeg.ts', import.meta.url).href)};
import { silentLogger } from '@millrace/log';
await runFfmpeg({ inputs: [{ kind: 'graph', graph: 'testsrc2=size=64x36', options: ['-re'] }],
  args: ['-f', 'null', 'orphan-of-test'], signal: new AbortController().signal, log: silentLogger,
  onProgress: () => process.stdout.write('on') });`;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source]);
  try {
    await once(owner.stdout, 'data');
    expect((await running('orphan-of-test')).length).toBeGreaterThan(0);
  } finally {
    owner.kill('SIGKILL');
  }
  try {
    await until(async () => (await running('orphan-of-test')).length === 0);
  } finally {
    for (const line of await running('orphan-of-test')) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  }
});

it('a run that gets no further is stopped as stalled, one that takes too long as too long', async () => {
  const program = await script('sleeper', 'sleep 612');
  expect(await run({ program, limits: { stallMs: 50 } })).toMatchObject({ ok: false, error: { kind: 'stalled' } });
  const endless = { ...picture(36_000), options: ['-re'] };
  const late = await run({ inputs: [endless], args: ['-f', 'null', '-'], limits: { totalMs: 400 } });
  expect(late).toMatchObject({ ok: false, error: { kind: 'too-long' } });
});

it('a missing program, one that is killed, and one that fails are told apart', async () => {
  const missing = await run({ program: 'no-such-program' });
  expect(missing).toMatchObject({ ok: false });
  expect(JSON.stringify(missing)).toContain('no-such-program');
  expect(await run({ program: await script('killed', 'kill -9 $$') })).toMatchObject({
    ok: false,
    error: { kind: 'killed', signal: 'SIGKILL' },
  });
  const text = join(folder, 'text.mp4');
  await writeFile(text, 'this is no film');
  const failed = await run({ inputs: [{ kind: 'file', path: text }], args: ['-f', 'null', '-'] });
  expect(failed).toMatchObject({ ok: false, error: { kind: 'failed', code: 1 } });
  expect(JSON.stringify(failed)).toContain('Invalid data');
  expect(JSON.stringify(failed)).not.toContain(folder);
});

it('gives a program nothing of our environment but where programs lie', async () => {
  process.env['MILLRACE_TEST_SECRET'] = 'not for programs';
  const program = await script('teller', 'env');
  let told = '';
  const onOutput = async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const piece of pieces) told += Buffer.from(piece).toString();
  };
  await run({ program, onOutput });
  delete process.env['MILLRACE_TEST_SECRET'];
  expect(told).toContain('PATH=');
  expect(told).not.toContain('SECRET');
});

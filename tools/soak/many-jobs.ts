/**
 * A thousand jobs that complete, fail, are cancelled, or have their encoder killed, and a PostgreSQL that is killed among them. Then
 * descriptors, processes, database connections and scratch files are what they were before.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from '../rig/process-usage.ts';
import { type StandaloneServer, startStandalone } from '../rig/standalone-server.ts';
import { randomFrom } from './seeded-random.ts';

export interface ManyJobsPlan {
  readonly jobs: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const lanes = 6;
const endings = ['complete', 'fail', 'cancel', 'kill'] as const;
type Ending = (typeof endings)[number];
type Answer = Readonly<Record<string, unknown>>;

/** What went wrong; empty when nothing did. */
export async function manyJobs({ jobs, seed, say }: ManyJobsPlan): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-many-jobs-'));
  const dataDir = join(dir, 'data');
  try {
    const picture = makePicture(dir);
    const settings = {
      DATA_DIR: dataDir,
      LOG_LEVEL: 'error',
      TRANSCODE_JOB_SLOTS: '2',
      PROGRESS_RETENTION_DAYS: '0.01',
    };
    await using server = await startStandalone(settings);
    const random = randomFrom(seed);
    const wrong: string[] = [];
    const ended = new Map<string, number>();
    let next = 0;
    const lane = async (upTo: number) => {
      while (next < upTo) {
        const n = next++;
        const wanted = endings[Math.floor(random() * endings.length)] ?? 'complete';
        const status = await oneJob(server, n, wanted, picture, random).catch((error: unknown) => String(error));
        const seen = `${wanted}: ${status}`;
        ended.set(seen, (ended.get(seen) ?? 0) + 1);
        if (!fits(wanted, status)) wrong.push(`job ${n} was to ${wanted}, and is ${status}`);
      }
    };
    const run = (upTo: number) => Promise.all(Array.from({ length: lanes }, () => lane(upTo)));
    const warmUp = 4 * lanes;
    await run(warmUp);
    const before = await settled(server, dataDir);
    say(`many-jobs: before ${JSON.stringify(before)}`);
    await run(warmUp + Math.floor(jobs / 2));
    killPostgres(server, say);
    await run(warmUp + jobs);
    say(`many-jobs: ${[...ended].map(([seen, count]) => `${seen} ${count}`).join(', ')}`);
    const above = await untilSame(server, dataDir, before);
    say(`many-jobs: after ${JSON.stringify(await measure(server, dataDir))}`);
    return [...wrong.slice(0, 20), ...above];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function fits(wanted: Ending, status: string): boolean {
  switch (wanted) {
    case 'complete':
    case 'kill': // another attempt makes it good
      return status === 'completed';
    case 'fail':
      return status === 'failed';
    case 'cancel': // it may have been quicker
      return status === 'cancelled' || status === 'completed';
  }
}

/** Runs one job; gives the status with which it ended. Calls are repeated while PostgreSQL is away. */
async function oneJob(
  server: StandaloneServer,
  n: number,
  wanted: Ending,
  picture: Buffer,
  random: () => number,
): Promise<string> {
  if (wanted === 'fail') return failingVideo(server, n);
  const name = `picture-${n}.png`;
  await again(() => upload(server, name, picture));
  const duration_ms = wanted === 'complete' ? 500 : 20_000;
  const body = { motion: 'still', duration_ms, width: 128, height: 72, frames_per_second: 25 };
  const started = await again(() => server.api.call('POST', `/images/${name}/video`, body));
  const jobId = String(started['task_id']);
  if (wanted === 'cancel') {
    await sleep(random() * 1_500);
    await again(() => server.api.call('POST', `/jobs/${jobId}/cancel`).catch(acceptConflict));
  }
  if (wanted === 'kill') {
    await sleep(random() * 1_500);
    const [encoder] = processTree(server.pid).filter(({ command }) => command === 'ffmpeg');
    if (encoder !== undefined) kill(encoder.pid);
  }
  return untilEnded(server, `/jobs/${jobId}`);
}

/** A video whose original is no media. */
async function failingVideo(server: StandaloneServer, n: number): Promise<string> {
  const made = await again(() => server.api.call('POST', '/videos', { title: `broken ${n}` }));
  const { video_id: id } = made['video'] as { video_id: string };
  const bytes = Buffer.from('this is no media at all');
  await again(async () => {
    const answer = await fetch(`${server.httpUrl}/api/v1/uploads`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${server.api.token}`, 'tus-resumable': '1.0.0' },
        ...{ 'upload-length': String(bytes.length), 'content-type': 'application/offset+octet-stream' },
        'upload-metadata': `video_id ${Buffer.from(id).toString('base64')}`,
      },
      body: bytes,
    });
    // the video has its original already where only the answer was lost
    if (answer.status !== 201 && answer.status !== 409) throw new Error(`upload: ${answer.status}`);
    return {};
  });
  return untilEnded(server, `/videos/${id}/status`);
}

async function upload(server: StandaloneServer, name: string, picture: Buffer): Promise<Answer> {
  const answer = await fetch(`${server.httpUrl}/api/v1/images?img_name=${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.api.token}`, 'content-type': 'image/png' },
    body: new Uint8Array(picture),
  });
  if (!answer.ok && answer.status !== 409) throw new Error(`picture: ${answer.status} ${await answer.text()}`);
  return {};
}

async function untilEnded(server: StandaloneServer, path: string): Promise<string> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const { status } = await again(() => server.api.call('GET', path));
    if (['completed', 'failed', 'cancelled'].includes(String(status))) return String(status);
    if (performance.now() > deadline) return `${String(status)} after two minutes`;
    await sleep(100);
  }
}

/** Repeats a call while the server cannot answer it. */
async function again(call: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() > deadline || /got 4\d\d|: 4\d\d/.test(String(error))) throw error;
      await sleep(200);
    }
  }
}

function acceptConflict(error: unknown): Answer {
  if (/got 409/.test(String(error))) return {}; // it ended first
  throw error;
}

function killPostgres(server: StandaloneServer, say: (line: string) => void): void {
  const postmaster = processTree(server.pid).find(({ pid }) => {
    const line = commandLine(pid);
    return /bin\/postgres/.test(line) && line.includes(' -D ');
  });
  if (postmaster === undefined) throw new Error('expected a PostgreSQL below the server');
  say(`many-jobs: PostgreSQL (${postmaster.pid}) is killed`);
  kill(postmaster.pid);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}

interface Measured {
  readonly descriptors: number;
  /** Without PostgreSQL's, whose background processes come and go. */
  readonly processes: number;
  /** Backends of PostgreSQL that serve a connection. */
  readonly connections: number;
  readonly scratchFiles: number;
  readonly workFiles: number;
}

async function measure(server: StandaloneServer, dataDir: string): Promise<Measured> {
  const tree = processTree(server.pid);
  const lines = tree.map(({ pid }) => commandLine(pid));
  return {
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
    processes: lines.filter((line) => !/postgres/.test(line)).length,
    connections: lines.filter((line) => /^postgres: \S+ \S+ (\[local\]|127|::1)/.test(line)).length,
    scratchFiles: filesBelow(join(dataDir, 'scratch')),
    workFiles: filesBelow(join(dataDir, 'media', 'work')) + filesBelow(join(dataDir, 'media', 'uploads')),
  };
}

function filesBelow(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && entry.name !== '.lock').length;
  } catch {
    return 0;
  }
}

/** The smallest of each over ten quiet seconds. */
async function settled(server: StandaloneServer, dataDir: string): Promise<Measured> {
  let least = await measure(server, dataDir);
  for (let i = 0; i < 20; i++) {
    await sleep(500);
    const now = await measure(server, dataDir);
    least = {
      descriptors: Math.min(least.descriptors, now.descriptors),
      processes: Math.min(least.processes, now.processes),
      connections: Math.min(least.connections, now.connections),
      scratchFiles: Math.min(least.scratchFiles, now.scratchFiles),
      workFiles: Math.min(least.workFiles, now.workFiles),
    };
  }
  return least;
}

/** Waits until nothing is above the baseline; what still is after a minute. */
async function untilSame(server: StandaloneServer, dataDir: string, before: Measured): Promise<readonly string[]> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const now = await measure(server, dataDir);
    const above = Object.entries(now).filter(([what, count]) => count > before[what as keyof Measured]);
    if (above.length === 0) return [];
    if (performance.now() > deadline) {
      return above.map(([what, count]) => `${count} ${what}, before ${before[what as keyof Measured]}`);
    }
    await sleep(1_000);
  }
}

function makePicture(dir: string): Buffer {
  const path = join(dir, 'picture.png');
  const made = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180',
    '-frames:v',
    '1',
    path,
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return readFileSync(path);
}

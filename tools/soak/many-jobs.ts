/**
 * A thousand jobs that complete, fail, are cancelled, or have their encoder killed, and a PostgreSQL that is killed among them. Then
 * descriptors, processes, database connections and scratch files are what they were before.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from '../rig/process-usage.ts';
import { type StandaloneServer, startStandalone } from '../rig/standalone-server.ts';
import { commandLine, look, settled, untilSame } from './remains.ts';
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
    const seenEnds = new Map<string, number>();
    let next = 0;
    const lane = async (upTo: number) => {
      while (next < upTo) {
        const n = next++;
        const wanted = endings[Math.floor(random() * endings.length)] ?? 'complete';
        const end = await oneJob(server, n, wanted, picture, random).catch(
          (error: unknown): JobEnd => ({ status: String(error), killed: 0, why: '' }),
        );
        const seen = `${wanted}: ${end.status}${end.killed > 0 ? ' through a killed encoder' : ''}`;
        seenEnds.set(seen, (seenEnds.get(seen) ?? 0) + 1);
        if (!fits(wanted, end)) wrong.push(`job ${n} was to ${wanted}, and is ${end.status} ${end.why}`);
      }
    };
    const run = (upTo: number) => Promise.all(Array.from({ length: lanes }, () => lane(upTo)));
    const warmUp = 4 * lanes;
    await run(warmUp);
    const before = await settled(server, dataDir);
    say(`many-jobs: before ${JSON.stringify(before)} ${JSON.stringify((await look(server, dataDir)).connections)}`);
    await run(warmUp + Math.floor(jobs / 2));
    killPostgres(server, say);
    await run(warmUp + jobs);
    say(`many-jobs: ${[...seenEnds].map(([seen, count]) => `${seen} ${count}`).join(', ')}`);
    const above = await untilSame(server, dataDir, before);
    const { held, connections } = await look(server, dataDir);
    say(`many-jobs: after ${JSON.stringify(held)} ${JSON.stringify(connections)}`);
    return [...wrong.slice(0, 20), ...above];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface JobEnd {
  readonly status: string;
  /** Encoders of this job that were killed. */
  readonly killed: number;
  /** What went wrong, in the words of the job and of its attempts. */
  readonly why: string;
}

function fits(wanted: Ending, { status }: JobEnd): boolean {
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

/** Runs one job; gives how it ended. Calls are repeated while PostgreSQL is away. */
async function oneJob(
  server: StandaloneServer,
  n: number,
  wanted: Ending,
  picture: Buffer,
  random: () => number,
): Promise<JobEnd> {
  if (wanted === 'fail') return failingVideo(server, n);
  const name = `picture-${n}.png`;
  await again(() => upload(server, name, picture));
  const duration_ms = wanted === 'complete' ? 500 : 20_000;
  const body = { motion: 'still', duration_ms, width: 128, height: 72, frames_per_second: 25 };
  const started = await again(() => server.api.call('POST', `/images/${name}/video`, body));
  const path = `/jobs/${String(started['task_id'])}`;
  if (wanted === 'cancel') {
    await sleep(random() * 1_500);
    await again(() => server.api.call('POST', `${path}/cancel`).catch(acceptConflict));
  }
  const killed = wanted === 'kill' ? await killEncoder(server, path, name, random() * 300) : 0;
  return { ...(await untilEnded(server, path)), killed };
}

/**
 * Kills an encoder of this job and of no other: a part may fail three times, and jobs that are to complete must not be met by chance. Gives
 * how many: the job may be over before one is seen.
 */
async function killEncoder(server: StandaloneServer, path: string, picture: string, afterMs: number): Promise<number> {
  for (;;) {
    const encoder = processTree(server.pid).find(
      ({ pid, command }) => command === 'ffmpeg' && commandLine(pid).includes(`/${picture}/`),
    );
    if (encoder !== undefined) {
      await sleep(afterMs);
      return kill(encoder.pid) ? 1 : 0;
    }
    const { status } = await again(() => server.api.call('GET', path));
    if (ended.has(String(status))) return 0;
    await sleep(20);
  }
}

const ended: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** A video whose original is no media. */
async function failingVideo(server: StandaloneServer, n: number): Promise<JobEnd> {
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
  return { ...(await untilEnded(server, `/videos/${id}/status`)), killed: 0 };
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

async function untilEnded(server: StandaloneServer, path: string): Promise<Omit<JobEnd, 'killed'>> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const answer = await again(() => server.api.call('GET', path));
    const status = String(answer['status']);
    const why = JSON.stringify({ error: answer['error'], attempts: answer['attempts'] });
    if (ended.has(status)) return { status, why };
    if (performance.now() > deadline) return { status: `${status} after two minutes`, why };
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

/** False: it had ended by itself. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
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

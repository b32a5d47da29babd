/**
 * What a job costs over ffmpeg alone: the same film to the same rungs with the same settings, by a job and by one ffmpeg for each rung, in
 * turns. The film has no sound, so that the job does little but the ladder; what else it does is told apart by its attempts.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { TaskProgressResponse } from '@millrace/api';
import { chooseRungs, type LadderRung } from '@millrace/ladder';
import { cpuOf } from '../../rig/process-usage.ts';
import type { StandaloneServer } from '../../rig/standalone-server.ts';
import { percentile } from '../live/percentile.ts';
import { hasEnded, makeVideo, until, uploadVideo } from './media.ts';

export interface OverheadRun {
  /** From the first span's start to the last one's end, without what else the one slot did in between, s. */
  readonly ladderS: number;
  /** From the job's first lease to its end, s. */
  readonly jobS: number;
  /** CPU of every ffmpeg and ffprobe of the job, s. */
  readonly encodersCpuS: number;
  /** Of these for the poster and the storyboard, by a job that makes nothing else, s. */
  readonly posterCpuS: number;
  /** CPU of the server itself meanwhile: progress, worker and all that it does without a job; PostgreSQL apart, s. */
  readonly serverCpuS: number;
  readonly spans: number;
  /** Between the end of one task and the start of the next, mean, ms. */
  readonly gapMs: number;
  /** One ffmpeg for each rung, one after the other, s. */
  readonly bareS: number;
  readonly bareCpuS: number;
  /** Of the machine, one minute, before the run. */
  readonly load: number;
}

export interface OverheadResult {
  readonly runs: readonly OverheadRun[];
  /** Medians of each run's ratio to its own bare encode. */
  readonly ladderRatio: number;
  readonly jobRatio: number;
  /** CPU of the encoders without the poster's, and with the server's on top. */
  readonly encodersCpuRatio: number;
  readonly allCpuRatio: number;
}

const picture = { width: 1280, height: 720, framesPerSecond: 30 };

export interface OverheadPlan {
  /** Length of the film, s. */
  readonly seconds: number;
  readonly repetitions: number;
}

export async function measureOverhead(
  server: StandaloneServer,
  dir: string,
  { seconds, repetitions }: OverheadPlan,
): Promise<OverheadResult> {
  const path = join(dir, 'silent.mp4');
  makeVideo(path, { seconds, size: `${picture.width}x${picture.height}`, silent: true });
  const runs: OverheadRun[] = [];
  for (let n = 0; n < repetitions; n++) {
    const load = loadavg()[0] ?? Number.NaN;
    // in turns, and each first as often as the other: what the machine does beside shows in both
    const bareFirst = n % 2 === 1 ? await bareLadder(path, dir) : undefined;
    const job = await oneJob(server, path);
    runs.push({ ...job, ...(bareFirst ?? (await bareLadder(path, dir))), load });
  }
  const median = (of: (run: OverheadRun) => number) => percentile(runs.map(of), 0.5);
  return {
    runs,
    ladderRatio: median((run) => run.ladderS / run.bareS),
    jobRatio: median((run) => run.jobS / run.bareS),
    encodersCpuRatio: median((run) => (run.encodersCpuS - run.posterCpuS) / run.bareCpuS),
    allCpuRatio: median((run) => (run.encodersCpuS - run.posterCpuS + run.serverCpuS) / run.bareCpuS),
  };
}

async function oneJob(
  server: StandaloneServer,
  path: string,
): Promise<Omit<OverheadRun, 'bareS' | 'bareCpuS' | 'load'>> {
  const id = await uploadVideo(server, path, false);
  const before = cpuOf(server.pid);
  await server.api.call('POST', `/videos/${id}/run_sync`, {});
  await until(server, `/videos/${id}`, hasEnded, { everyMs: 250, withinMs: 900_000 });
  const after = cpuOf(server.pid);
  const run = (await server.api.call('GET', `/videos/${id}/reprocess`)) as unknown as TaskProgressResponse;
  if (run.status !== 'completed') throw new Error(JSON.stringify(run));
  const tasks = run.attempts
    .map(({ step, started_at, ended_at }) => ({
      step,
      startMs: Date.parse(started_at),
      endMs: Date.parse(ended_at ?? ''),
    }))
    .sort((a, b) => a.startMs - b.startMs);
  const spans = tasks.filter(({ step }) => step === 'ladder');
  const [startMs, endMs] = [spans[0]?.startMs ?? Number.NaN, Math.max(...spans.map((span) => span.endMs))];
  const between = tasks.filter((task) => task.step !== 'ladder' && task.startMs >= startMs && task.endMs <= endMs);
  const otherMs = between.reduce((sum, task) => sum + task.endMs - task.startMs, 0);
  await server.api.call('POST', `/videos/${id}/reprocess`, { steps: ['poster'] });
  await until(server, `/videos/${id}`, hasEnded, { everyMs: 250 });
  const gaps = tasks.slice(1).map((task, i) => task.startMs - (tasks[i]?.endMs ?? task.startMs));
  return {
    ladderS: (endMs - startMs - otherMs) / 1_000,
    jobS: (Date.parse(run.finished_at ?? '') - Date.parse(run.started_at ?? '')) / 1_000,
    encodersCpuS: (after.childrenMs - before.childrenMs) / 1_000,
    posterCpuS: (cpuOf(server.pid).childrenMs - after.childrenMs) / 1_000,
    serverCpuS: (after.ownMs - before.ownMs) / 1_000,
    spans: spans.length,
    gapMs: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length,
  };
}

async function bareLadder(path: string, dir: string): Promise<Pick<OverheadRun, 'bareS' | 'bareCpuS'>> {
  const startedAt = performance.now();
  const cpuBefore = cpuOf(process.pid).childrenMs;
  for (const rung of chooseRungs(picture)) await encode(path, join(dir, 'bare.mp4'), rung);
  return {
    bareS: (performance.now() - startedAt) / 1_000,
    bareCpuS: (cpuOf(process.pid).childrenMs - cpuBefore) / 1_000,
  };
}

/** The whole film to one rung, as a worker encodes a span of it. */
async function encode(path: string, output: string, rung: LadderRung): Promise<void> {
  const { width, height, framesPerSecond, bitsPerSecond, maxBitsPerSecond } = rung;
  const buffer = Math.max(bitsPerSecond, (maxBitsPerSecond - bitsPerSecond) * 4);
  const filter = `fps=${framesPerSecond},scale=${width}:${height}:flags=bicubic:out_range=tv,setsar=1,format=yuv420p`;
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-crf', '22'];
  const rates = ['-maxrate', String(bitsPerSecond), '-bufsize', String(buffer)];
  const keyframes = ['-g', '182', '-keyint_min', '182', '-sc_threshold', '0', '-forced-idr', '1'];
  const written = ['-force_key_frames', 'expr:gte(t,n_forced*4)', '-f', 'mp4', output];
  const args = ['-v', 'error', '-nostdin', '-y', '-i', path, '-an', '-vf', filter];
  const all = ['-n', '10', 'ffmpeg', ...args, ...coding, ...rates, ...keyframes, ...written];
  // in a session of its own like the worker's: Linux shares out the processor among sessions first
  const options = { stdio: 'inherit', detached: true } as const;
  const code = await new Promise((resolve) => spawn('nice', all, options).once('exit', resolve));
  if (code !== 0) throw new Error(`ffmpeg ended with ${String(code)}`);
}

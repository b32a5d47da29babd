/**
 * A job while it runs: how old the progress is that a WebSocket shows, how good the estimate of the end is, and how long a cancel
 * takes until nothing of the job is left.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HubJob, TaskProgressResponse } from '@millrace/api';
import { createHubClient } from '@millrace/hub-client';
import { WebSocket } from 'ws';
import { processTree } from '../../rig/process-usage.ts';
import type { StandaloneServer } from '../../rig/standalone-server.ts';
import { percentile } from '../live/percentile.ts';
import { hasEnded, makeVideo, until, uploadVideo } from './media.ts';

export interface ProgressResult {
  readonly messages: number;
  /** From the commit of a state until the socket has it. */
  readonly delayP50Ms: number;
  readonly delayP95Ms: number;
  /** From one state to the next on the socket, while it encoded. */
  readonly gapP50Ms: number;
  readonly gapP95Ms: number;
  /** |estimated - real| of the time left, over the whole time, at a quarter, half and three quarters. */
  readonly etaErrors: readonly number[];
}

export async function measureProgress(server: StandaloneServer, dir: string, quick: boolean): Promise<ProgressResult> {
  const path = join(dir, 'film.mp4');
  makeVideo(path, { seconds: quick ? 20 : 60, size: '1280x720' });
  const seen: { readonly job: HubJob; readonly atMs: number }[] = [];
  const hub = createHubClient({
    url: `${server.httpUrl.replace(/^http/, 'ws')}/ws`,
    token: server.api.token,
    WebSocket,
  });
  hub.subscribe('jobs', {
    onChanges: (changes) => {
      for (const change of changes) if (change.kind === 'job') seen.push({ job: change.job, atMs: Date.now() });
    },
  });
  const id = await uploadVideo(server, path, true);
  await until(server, `/videos/${id}`, hasEnded, { everyMs: 250, withinMs: 900_000 });
  hub.close();
  const run = (await server.api.call('GET', `/videos/${id}/reprocess`)) as unknown as TaskProgressResponse;
  if (run.status !== 'completed') throw new Error(JSON.stringify(run));
  const mine = seen.filter(({ job }) => job.subject === id);
  const running = mine.filter(({ job }) => job.status === 'processing' && job.progress > 0);
  const delays = mine.map(({ job, atMs }) => atMs - Date.parse(job.updated_at));
  const gaps = running.slice(1).map(({ atMs }, i) => atMs - (running[i]?.atMs ?? atMs));
  return {
    messages: mine.length,
    delayP50Ms: percentile(delays, 0.5),
    delayP95Ms: percentile(delays, 0.95),
    gapP50Ms: percentile(gaps, 0.5),
    gapP95Ms: percentile(gaps, 0.95),
    etaErrors: [0.25, 0.5, 0.75].map((share) => etaError(running, run, share)),
  };
}

/** Error of the first estimate after `share` of the job's time, over the whole time; NaN without one. */
function etaError(
  running: readonly { readonly job: HubJob; readonly atMs: number }[],
  run: TaskProgressResponse,
  share: number,
): number {
  const [startMs, endMs] = [Date.parse(run.started_at ?? ''), Date.parse(run.finished_at ?? '')];
  const wholeMs = endMs - startMs;
  const found = running.find(({ job, atMs }) => atMs >= startMs + wholeMs * share && job.eta_ms !== null);
  if (found === undefined) return Number.NaN;
  return Math.abs(found.atMs + (found.job.eta_ms ?? 0) - endMs) / wholeMs;
}

export interface CancelResult {
  readonly cancels: number;
  /** From the call until REST says cancelled, no encoder runs and the scratch space is empty. */
  readonly p50Ms: number;
  readonly slowestMs: number;
}

export async function measureCancel(
  server: StandaloneServer,
  dir: string,
  dataDir: string,
  quick: boolean,
): Promise<CancelResult> {
  const path = join(dir, 'film.mp4');
  makeVideo(path, { seconds: quick ? 20 : 60, size: '1280x720' });
  const id = await uploadVideo(server, path, false);
  const times: number[] = [];
  const cancels = quick ? 5 : 20;
  for (let n = 0; n < cancels; n++) {
    const started = await server.api.call('POST', `/videos/${id}/run_sync`, { force: true });
    const job = String(started['task_id']);
    await until(server, `/jobs/${job}`, () => encoders(server.pid) > 0);
    await sleep(Math.random() * 1_500);
    const asked = performance.now();
    await server.api.call('POST', `/jobs/${job}/cancel`);
    await until(
      server,
      `/jobs/${job}`,
      ({ status }) => status === 'cancelled' && encoders(server.pid) === 0 && scratchIsEmpty(dataDir),
      { everyMs: 5 },
    );
    times.push(performance.now() - asked);
  }
  return { cancels, p50Ms: percentile(times, 0.5), slowestMs: Math.max(...times) };
}

function encoders(root: number): number {
  return processTree(root).filter(({ command }) => command === 'ffmpeg' || command === 'ffprobe').length;
}

function scratchIsEmpty(dataDir: string): boolean {
  const entries = readdirSync(join(dataDir, 'scratch'), { recursive: true, withFileTypes: true });
  return entries.every((entry) => !entry.isFile() || entry.name === '.lock');
}

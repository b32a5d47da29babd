/**
 * How long a span lies when the worker that encodes it is killed: processes of their own, kill -9 at a random moment of the span, and the time
 * until another worker has its lease. The film is small, so that it is one span, and the other worker is free when it is killed.
 */
import { join } from 'node:path';
import type { JobAttempt, Video } from '@millrace/api';
import { type ClusterProcess, startCluster } from '../../../apps/e2e/src/cluster.ts';
import { eventually } from '../../../apps/e2e/src/eventually.ts';
import { VideoClient } from '../../../apps/e2e/src/video-client.ts';
import { percentile } from '../live/percentile.ts';
import { makeVideo } from './media.ts';

export interface WorkerDeathResult {
  readonly kills: number;
  /** From the kill until another worker has the lease of what it encoded. */
  readonly p50Ms: number;
  readonly slowestMs: number;
  /** Most parts of a job that were begun anew after one kill. */
  readonly mostLost: number;
}

export async function measureWorkerDeath(dir: string, quick: boolean): Promise<WorkerDeathResult> {
  const path = join(dir, 'small.mp4');
  makeVideo(path, { seconds: 85, size: '426x240', silent: true });
  await using cluster = await startCluster({ LOG_LEVEL: 'warn', TRANSCODE_PRESET: 'slow' });
  const progress = await cluster.startProgress();
  const workers = new Map<string, ClusterProcess>();
  for (const name of ['worker-1', 'worker-2']) workers.set(name, await cluster.startJobWorker(name, progress));
  const videos = new VideoClient(progress.httpUrl, cluster.api.at(progress.httpUrl));
  const times: number[] = [];
  const lost: number[] = [];
  const kills = quick ? 2 : 10;
  for (let n = 0; n < kills; n++) {
    const video = await videos.create(`film ${n}`);
    await videos.upload(video, path, { pieceBytes: 16 * 1024 * 1024 });
    await eventually(async () => (await ladderOf(videos, video)) > 0, 'a span is encoded', 60_000);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000)); // anywhere between two heartbeats
    const running = (await spansOf(videos, video)).find(({ outcome }) => outcome === 'running');
    const victim = workers.get(running?.worker_id.split('.')[0] ?? '');
    if (running === undefined || victim === undefined) throw new Error(`it was too quick: ${JSON.stringify(running)}`);
    const killedMs = Date.now();
    victim.program.process.kill('SIGKILL');
    let next: JobAttempt | undefined;
    const goesOn = async () =>
      (next = (await spansOf(videos, video)).find(
        ({ task_id, fence }) => task_id === running.task_id && fence > running.fence,
      )) !== undefined;
    await eventually(goesOn, 'another worker goes on', 60_000);
    times.push(Date.parse(next?.started_at ?? '') - killedMs);
    workers.set(victim.name, await cluster.restart(victim));
    await videos.until(video, ['completed'], 120_000);
    const attempts = (await videos.progress(video)).attempts;
    lost.push(attempts.filter(({ outcome }) => outcome === 'lapsed').length);
  }
  return { kills, p50Ms: percentile(times, 0.5), slowestMs: Math.max(...times), mostLost: Math.max(...lost) };
}

async function spansOf(videos: VideoClient, video: Video): Promise<readonly JobAttempt[]> {
  return (await videos.progress(video)).attempts.filter(({ step }) => step === 'ladder');
}

async function ladderOf(videos: VideoClient, video: Video): Promise<number> {
  return (await videos.progress(video)).steps.find(({ name }) => name === 'ladder')?.progress ?? 0;
}

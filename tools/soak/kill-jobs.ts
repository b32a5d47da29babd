/** Videos that are processed while workers and progress are killed at random moments: all complete, and nothing is left over. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Video } from '@millrace/api';
import { startClusterTarget } from '../../apps/e2e/src/cluster-target.ts';
import { eventually } from '../../apps/e2e/src/eventually.ts';
import { runningProcesses } from '../../apps/e2e/src/processes.ts';
import { openTestMedia } from '../../apps/e2e/src/test-media.ts';
import { VideoClient } from '../../apps/e2e/src/video-client.ts';
import { randomFrom } from './seeded-random.ts';

export interface KillJobsPlan {
  readonly durationMs: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const victims = ['progress-1', 'transcode-1', 'transcode-2'] as const;
const videosAtOnce = 3;
const longestPauseMs = 8_000;

/** What went wrong; empty when nothing did. */
export async function killJobs({ durationMs, seed, say }: KillJobsPlan): Promise<readonly string[]> {
  await using media = await openTestMedia();
  await using cluster = await startClusterTarget();
  const api = await cluster.signIn();
  const videos = new VideoClient(cluster.httpUrl, api);
  const path = await media.video(24, '640x360');
  const random = randomFrom(seed);
  const untilMs = performance.now() + durationMs;
  const wrong: string[] = [];
  let [completed, killed] = [0, 0];

  const produce = async (lane: number): Promise<void> => {
    for (let i = 0; performance.now() < untilMs; i++) {
      const video = await made(videos, `${lane}-${i}`, path);
      const done = await videos.until(video, ['completed', 'failed'], 180_000);
      if (done.status === 'completed') completed++;
      else wrong.push(`${video.video_id}: ${JSON.stringify(done.error)}`);
      if (i % 2 === 0) await removed(videos, video);
    }
  };
  const kill = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, random() * longestPauseMs));
      const victim = victims[Math.floor(random() * victims.length)] ?? victims[0];
      killed++;
      await cluster.processes.restart(victim);
    }
  };
  const lanes = Array.from({ length: videosAtOnce }, (_, lane) => produce(lane));
  const outcomes = await Promise.allSettled([...lanes, kill()]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') wrong.push(String(outcome.reason));
  say(`kill-jobs: ${completed} videos completed through ${killed} kills`);

  const leftOver = async (): Promise<readonly string[]> => [
    ...runningProcesses()
      .filter(({ command }) => /ff(mpeg|probe)/.test(command) && command.includes(cluster.dataDir))
      .map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`),
    ...(await filesBelow(join(cluster.dataDir, 'media', 'work'))),
    ...(await filesBelow(join(cluster.dataDir, 'media', 'uploads'))),
    ...(await filesBelow(join(cluster.dataDir, 'transcode-1', 'scratch'))),
    ...(await filesBelow(join(cluster.dataDir, 'transcode-2', 'scratch'))),
  ];
  const clean = async () => (await leftOver()).length === 0;
  await eventually(clean, 'nothing is left over', 60_000).catch(async () => wrong.push(...(await leftOver())));
  return wrong;
}

/** Creates and uploads until it is there: progress may be down at any call. */
async function made(videos: VideoClient, title: string, path: string): Promise<Video> {
  let video: Video | undefined;
  await eventually(
    async () => {
      try {
        video ??= await videos.create(title);
        if ((await videos.get(video)).source_state === 'ready') return true;
        await videos.upload(video, path, { pieceBytes: 1024 * 1024 });
        return true;
      } catch {
        return false;
      }
    },
    `${title} is uploaded`,
    120_000,
  );
  if (video === undefined) throw new Error('unreachable');
  return video;
}

async function removed(videos: VideoClient, video: Video): Promise<void> {
  const gone = async () => {
    const status = await videos.remove(video).catch(() => 0);
    return status === 404 || (status >= 200 && status < 300);
  };
  await eventually(gone, `${video.video_id} is deleted`, 60_000);
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name !== '.lock');
  return files.map((entry) => join(entry.parentPath, entry.name));
}

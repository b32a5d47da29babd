/** Runs of videos for tests: the real effects over a small pipeline, and a worker that is told how each task ends. */
import type { LeasedTask, MediaFacts, TaskEnd, TaskResult, TaskSpec } from '@millrace/api';
import { newId, systemIdSource } from '@millrace/ids';
import type { JobType } from '../core/job-types.ts';
import type { PlannedTask } from '../core/pipeline.ts';
import { processRequestOf } from '../core/process-request.ts';
import { newVideo, type VideoRecord } from '../core/video.ts';
import { createVideoEffects } from '../core/video-effects.ts';
import type { ProgressService } from '../service.ts';

export const someMedia: MediaFacts = {
  container: 'mov,mp4,m4a,3gp,3g2,mj2',
  ...{ duration_ms: 4_000, size_bytes: 100, video: null, audio: null },
};

/** Probe, then an early publish, then a poster and subtitles, then the final publish. */
export function videoJobs(nowMs: () => number = Date.now): readonly JobType[] {
  return [
    {
      pipeline: {
        kind: 'process',
        plan: (request) => ({
          steps: [
            { name: 'probe', weight: 20, phase: 'reading' },
            { name: 'publish', weight: 80, phase: 'publishing' },
          ],
          tasks: tasksOf(request),
        }),
        advance: () => ({ tasks: [], skipped: [] }),
      },
      effects: createVideoEffects({ nowMs, requestOf: (job) => processRequestOf(job.request) }),
    },
  ];
}

function tasksOf(given: unknown): readonly PlannedTask[] {
  const { source, asset, language, work } = processRequestOf(given);
  const limits = { max_duration_ms: 1, max_pixels: 1, max_frames_per_second: 1 };
  const size = { source, asset, duration_ms: 1, width: 2, height: 2 };
  const speech = { speech: `${work}/speech.wav`, asset, duration_ms: 1, language };
  const task = (key: string, spec: TaskSpec, ...after: string[]): PlannedTask => ({
    ...{ key, spec, after, share: 1, step: key === 'probe' ? 'probe' : 'publish' },
  });
  return [
    task('probe', { kind: 'probe', source, limits }),
    task('early', { kind: 'publish', asset, duration_ms: 1, final: false }, 'probe'),
    task('poster', { kind: 'poster', ...size }, 'early'),
    task('subtitles', { kind: 'subtitles', ...speech }, 'poster'),
    task('final', { kind: 'publish', asset, duration_ms: 1, final: true }, 'subtitles'),
  ];
}

const allKinds: ('probe' | 'publish' | 'poster' | 'subtitles')[] = ['probe', 'publish', 'poster', 'subtitles'];

/** Leases the next task of whatever job; throws when there is none. */
export async function leaseNext(service: ProgressService, workerId = 'w1'): Promise<LeasedTask> {
  const request = { worker_id: workerId, slots: 1, kinds: allKinds, wait_ms: 2_000 };
  const leased = await service.leases.lease(request, new AbortController().signal);
  const task = leased.ok ? leased.value[0] : undefined;
  if (task === undefined) throw new Error('expected a task to lease');
  return task;
}

export async function endWith(service: ProgressService, end: TaskEnd, workerId = 'w1'): Promise<void> {
  const ended = await service.leases.end(workerId, end);
  if (!ended.ok || ended.value !== 'taken') throw new Error(`expected the end to be taken: ${JSON.stringify(ended)}`);
}

/** Does the next `tasks` tasks. */
export async function work(service: ProgressService, tasks: number): Promise<void> {
  for (let n = 0; n < tasks; n++) {
    const task = await leaseNext(service);
    await endWith(service, {
      ...{ kind: 'done', task_id: task.task_id, fence: task.fence, result: resultOf(task.spec) },
    });
  }
}

/** Lets the next task fail for good. */
export async function failNext(service: ProgressService): Promise<void> {
  const task = await leaseNext(service);
  const failure = { code: 'bad-media', reason: 'expected media, got noise', retryable: false };
  await endWith(service, { kind: 'failed', task_id: task.task_id, fence: task.fence, failure });
}

export const allTasks = 5;

function resultOf(spec: TaskSpec): TaskResult {
  switch (spec.kind) {
    case 'probe':
      return { kind: 'probe', media: someMedia, keyframes_ms: [0] };
    case 'poster':
      return { kind: 'poster', poster: 'poster.jpg', storyboard: 'storyboard.vtt', width: 2, height: 2 };
    case 'subtitles': {
      const written = { language: 'en', vtt: 'subtitles-en.vtt', segments: [], cues: 1, words: 1, engine: 'test' };
      return { kind: 'subtitles', outcome: { kind: 'written', ...written } };
    }
    default:
      return { kind: 'publish', rungs: [], bytes: 1 };
  }
}

/** Puts a video with its original there, as an upload would have. */
export async function aReadyVideo(service: ProgressService, ownerId: string): Promise<VideoRecord> {
  const videoId = newId('vid', systemIdSource);
  const video: VideoRecord = {
    ...newVideo(
      {
        ...{ videoId, playbackId: newId('play', systemIdSource), ownerId, title: 'a film', visibility: 'public' },
        ...{ origin: 'upload', sourceState: 'ready', processOnSource: true },
      },
      Date.now(),
    ),
    ...{ sourceKey: `videos/${videoId}/source`, sizeBytes: 100 },
  };
  await service.store.videos.insert(video);
  return video;
}

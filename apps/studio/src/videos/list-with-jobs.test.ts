import type { HubJob } from '@millrace/api';
import { expect, it } from 'vitest';
import { listedVideo } from './list-with-jobs.ts';
import type { Video } from './video-resources.ts';

const at = (ms: number) => new Date(ms).toISOString();
const video = (change: Partial<Video> = {}): Video => ({
  ...{ video_id: 'vid_1', playback_id: 'play_1', title: 'Intro', visibility: 'public', origin: 'upload' },
  ...{
    status: 'processing',
    source_state: 'ready',
    source_progress: null,
    language: null,
    media: null,
    size_bytes: null,
  },
  ...{ current_task_id: 'job_2', progress: 30, error: null, playback: null, created_at: at(0), updated_at: at(1_000) },
  ...change,
});
const jobs = (...list: readonly Partial<HubJob>[]): ReadonlyMap<string, HubJob> =>
  new Map(
    list.map((change) => {
      const job: HubJob = {
        ...{
          job_id: 'job_2',
          owner_id: 'own_1',
          kind: 'process',
          subject: 'vid_1',
          status: 'processing',
          progress: 60,
        },
        ...{ phase: 'encoding', eta_ms: 5_000, error: null, steps: null, updated_at: at(2_000) },
        ...change,
      };
      return [job.job_id, job] as const;
    }),
  );

it('a video is as the API says while the hub is not heard, or knows only of an older job', () => {
  for (const known of [undefined, jobs(), jobs({ job_id: 'job_1', status: 'failed' })]) {
    expect(listedVideo(video(), known)).toMatchObject({ status: 'processing', progress: 30, stale: false });
  }
});

it('a running job moves its video', () => {
  const listed = listedVideo(video(), jobs({}));
  expect(listed).toMatchObject({ status: 'processing', progress: 60, phase: 'encoding', etaMs: 5_000, stale: false });
});

it('a job that has ended or has just begun makes the list worth asking for again', () => {
  expect(listedVideo(video(), jobs({ status: 'completed', progress: 100 }))).toMatchObject({
    ...{ status: 'completed', stale: true },
  });
  const done = video({ status: 'completed', current_task_id: null, progress: 100 });
  expect(listedVideo(done, jobs({ progress: 5 }))).toMatchObject({ status: 'processing', progress: 5, stale: true });
});

it('the end of an earlier job says nothing of a video that was read after it', () => {
  const done = video({ status: 'completed', current_task_id: null, progress: 100 });
  expect(listedVideo(done, jobs({ status: 'failed' }))).toMatchObject({ status: 'completed', stale: false });
  expect(listedVideo(video({ ...done, updated_at: at(9_000) }), jobs({}))).toMatchObject({ status: 'completed' });
});

it('an original on its way says how much has come, as the hub tells it, else as the list does', () => {
  const source_progress = { received_bytes: 10, total_bytes: null };
  const importing = video({ source_state: 'importing', source_progress, status: 'pending', current_task_id: null });
  expect(listedVideo(importing, undefined).coming).toEqual({ receivedBytes: 10, totalBytes: undefined, etaMs: null });
  const fetched = { kind: 'import', job_id: 'imp_1', bytes: { received: 30, total: 90 } };
  expect(listedVideo(importing, jobs(fetched)).coming).toEqual({ receivedBytes: 30, totalBytes: 90, etaMs: 5_000 });
  // it has ended since the list was read
  expect(listedVideo(importing, jobs({ ...fetched, status: 'completed' }))).toMatchObject({ stale: true });
  expect(listedVideo(video(), jobs(fetched)).coming).toBeUndefined();
});

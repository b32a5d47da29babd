import type { HubJob } from '@millrace/api';
import { expect, it } from 'vitest';
import type { Image } from './image-resources.ts';
import { liveImage, picturesCome } from './live-image.ts';

const image = (change: Partial<Image> = {}): Image => ({
  ...{ img_name: 'sun.jpg', has_video: false, video_status: 'processing', source_type: 'upload', progress: 10 },
  ...{ task_id: 'job_2', video_id: null, video_url: null, error: null, created_at: '', updated_at: '' },
  ...{ image_url: null, thumbnail_url: null, width: null, height: null, size_bytes: null, prompt: null },
  ...{ picture_state: 'none', picture_error: null },
  ...change,
});
const jobs = (change: Partial<HubJob> = {}): ReadonlyMap<string, HubJob> => {
  const job: HubJob = {
    ...{ job_id: 'job_2', owner_id: 'o', kind: 'image-video', subject: 'sun.jpg', status: 'processing', progress: 40 },
    ...{ phase: 'drawing', eta_ms: 1_000, error: null, steps: null, updated_at: '2026-01-01T00:00:00Z' },
    ...change,
  };
  return new Map([[job.job_id, job]]);
};

it('the job of an image moves it', () => {
  expect(liveImage(image(), jobs())).toMatchObject({ status: 'processing', progress: 40, phase: 'drawing' });
});

it('an end, and a job that began since, make it worth asking again', () => {
  expect(liveImage(image(), jobs({ status: 'completed' })).stale).toBe(true);
  const idle = image({ video_status: 'none', task_id: null });
  expect(liveImage(idle, jobs())).toMatchObject({ status: 'processing', stale: true });
});

it('what the API knows better stays', () => {
  const done = image({ video_status: 'completed', has_video: true });
  expect(liveImage(done, jobs({ status: 'completed' })).stale).toBe(false);
  expect(liveImage(done, jobs()).status).toBe('completed');
  expect(liveImage(image({ task_id: 'job_3' }), jobs()).progress).toBe(10);
  expect(liveImage(image(), undefined).progress).toBe(10);
});

it('a thumbnail is looked out for while it may come, and not for ever', () => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  const ready = image({ picture_state: 'ready', updated_at: '2026-01-01T00:00:00Z' });
  expect(picturesCome(ready, at + 2_000)).toBe(true);
  expect(picturesCome(ready, at + 60_000)).toBe(false);
  expect(picturesCome({ ...ready, thumbnail_url: 'https://here/api/v1/images/sun.jpg/thumbnail?v=1' }, at)).toBe(false);
  expect(picturesCome(image({ picture_state: 'importing' }), at)).toBe(true);
  expect(picturesCome(image({ picture_state: 'none' }), at)).toBe(false);
});

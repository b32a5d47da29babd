import type { HubJob } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobStatuses } from '../routing/media-view.ts';
import type { TaskProgress } from './job-resources.ts';
import { etaWords, isActive, newestJobOf, withHubJob } from './live-progress.ts';

const at = (ms: number) => new Date(ms).toISOString();

function told(change: Partial<TaskProgress> = {}): TaskProgress {
  return {
    ...{ task_id: 'job_1', status: 'processing', cancelling: false, progress: 40, phase: 'encoding', eta_ms: 9_000 },
    ...{
      eta_basis: 'this-run',
      attempts: [],
      error: null,
      started_at: at(0),
      updated_at: at(1_000),
      finished_at: null,
    },
    steps: [{ name: 'probe', weight: 100, status: 'skipped', progress: 100, reason: 'because' }],
    ...change,
  };
}

function heard(change: Partial<HubJob> = {}): HubJob {
  return {
    ...{ job_id: 'job_1', owner_id: 'own_1', kind: 'process', subject: 'vid_1', status: 'processing', progress: 50 },
    ...{ phase: 'publishing', eta_ms: 1_000, error: null, steps: null, updated_at: at(2_000) },
    ...change,
  };
}

describe('progress from the API and the hub together', () => {
  it('takes from the hub what is newer and keeps the reasons of the API', () => {
    const steps = [{ name: 'probe', weight: 100, status: 'completed' as const, progress: 100 }];
    expect(withHubJob(told(), heard({ steps }))).toMatchObject({
      ...{ progress: 50, phase: 'publishing', eta_ms: 1_000 },
      steps: [{ name: 'probe', status: 'completed', reason: 'because' }],
    });
  });

  it('never goes back, and what has ended stays so', () => {
    const status = fc.constantFrom(...jobStatuses);
    const progress = fc.integer({ min: 0, max: 100 });
    const ms = fc.nat(5_000);
    fc.assert(
      fc.property(status, progress, ms, status, progress, ms, (a, p, t, b, q, u) => {
        const before = told({ status: a, progress: p, updated_at: at(t) });
        const after = withHubJob(before, heard({ status: b, progress: q, updated_at: at(u) }));
        expect(after.progress).toBeGreaterThanOrEqual(p);
        if (!isActive(a)) expect(after).toEqual(before);
        if (a === 'processing') expect(after.status).not.toBe('pending');
      }),
    );
  });

  it('takes nothing from another job', () => {
    expect(withHubJob(told(), heard({ job_id: 'job_2' }))).toEqual(told());
  });
});

it('the newest job of a subject is the one with the highest id of its kind', () => {
  const jobs = [
    heard(),
    heard({ job_id: 'job_3' }),
    heard({ job_id: 'job_2' }),
    heard({ job_id: 'job_9', kind: 'compose' }),
  ];
  expect(newestJobOf(new Map(jobs.map((job) => [job.job_id, job])), 'process', 'vid_1')?.job_id).toBe('job_3');
  expect(newestJobOf(undefined, 'process', 'vid_1')).toBeUndefined();
});

it('estimates are told as coarsely as they are known', () => {
  expect([null, 1_000, 12_000, 61_000, 7_200_000].map(etaWords)).toEqual([
    ...['', 'a few seconds left', 'about 15 s left', 'about 1 min left', 'about 2.0 h left'],
  ]);
});

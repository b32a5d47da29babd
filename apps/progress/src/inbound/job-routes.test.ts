import { taskProgressResponseSchema } from '@millrace/api';
import { auditTopic } from '@millrace/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aSubmission, doneWith, lease, plannedJobs, submit } from '../testing/planned-jobs.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

interface Page {
  readonly items: readonly { readonly task_id: string; readonly status: string; readonly subject: string }[];
  readonly next_cursor: string | null;
}

let progress: TestProgress;
beforeAll(async () => {
  progress = await openTestProgress({ jobTypes: plannedJobs().types });
});
afterAll(() => progress[Symbol.asyncDispose]());

const path = (jobId: string) => `/api/v1/jobs/${jobId}`;

describe('GET /jobs', () => {
  it('shows owners theirs in pages, the newest first, filtered; admins everything', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const made: string[] = [];
    for (let n = 0; n < 5; n++) {
      const kind = n % 2 === 0 ? ('process' as const) : ('compose' as const);
      made.unshift((await submit(progress, aSubmission({ ownerId, kind, subject: `vid_list${n}` }))).jobId);
    }
    const list = async (query: string, who = token) =>
      (await progress.call<Page>('GET', `/api/v1/jobs?${query}`, { token: who })).body;
    const first = await list('limit=3');
    const second = await list(`limit=3&cursor=${first.next_cursor}`);
    expect([...first.items, ...second.items].map((job) => job.task_id)).toEqual(made);
    expect(second.next_cursor).toBeNull();
    expect((await list('kind=compose')).items.map((job) => job.subject)).toEqual(['vid_list3', 'vid_list1']);
    expect((await list('status=completed')).items).toEqual([]);
    expect((await list('subject=vid_list2')).items).toHaveLength(1);
    const stranger = await progress.tokenOf('analyst');
    expect((await list('', stranger.token)).items).toEqual([]);
    const admin = await progress.tokenOf('admin');
    expect((await list('limit=100', admin.token)).items.length).toBeGreaterThanOrEqual(5);
    expect((await progress.call('GET', '/api/v1/jobs?kind=nonsense', { token })).status).toBe(400);
  });
});

describe('GET /jobs/{id}', () => {
  it('shows every field in every state', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const { jobId } = await submit(progress, aSubmission({ ownerId, priority: 'high' }));
    const check = async (status: string) => {
      const answer = await progress.call('GET', path(jobId), { token });
      expect(answer.status).toBe(200);
      expect(taskProgressResponseSchema.strict().parse(answer.body)).toMatchObject({ status, owner_id: ownerId });
    };
    await check('pending');
    const [task] = await lease(progress, 'w1');
    await check('processing');
    await progress.service.leases.end('w1', doneWith(task!));
    await progress.service.leases.end('w1', doneWith((await lease(progress, 'w1'))[0]!));
    await check('completed');
  });

  it('of somebody else, or of nobody, is not there; a malformed id is refused', async () => {
    const { ownerId } = await progress.tokenOf('broadcaster');
    const { jobId } = await submit(progress, aSubmission({ ownerId }));
    const { token } = await progress.tokenOf('broadcaster');
    expect(await progress.call('GET', path(jobId), { token })).toMatchObject({ status: 404 });
    expect((await progress.call('GET', path('job_01jd4000000000000000000000'), { token })).status).toBe(404);
    expect((await progress.call('GET', path('job_x'), { token })).status).toBe(400);
    expect((await progress.call('POST', `${path(jobId)}/cancel`, { token })).status).toBe(404);
  });
});

describe('POST /jobs/{id}/cancel', () => {
  it('ends a pending job at once; after the end it is refused with the state; it leaves an audit fact', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const { jobId } = await submit(progress, aSubmission({ ownerId }));
    expect(await progress.call('POST', `${path(jobId)}/cancel`, { token })).toMatchObject({
      status: 202,
      body: { task_id: jobId, status: 'cancelled', cancelling: false },
    });
    expect(await progress.call('POST', `${path(jobId)}/cancel`, { token })).toMatchObject({
      status: 409,
      body: {
        type: '/problems/job-ended',
        detail: `expected a job that is pending or processing, ${jobId} is cancelled`,
      },
    });
    expect((await progress.facts(jobId)).map((fact) => fact.type)).toEqual(['JobQueued', 'JobCancelled']);
    const audited = (await progress.published(auditTopic)).filter(({ value }) => value?.resource === jobId);
    expect(audited.map(({ value }) => value?.action)).toEqual(['cancelJob']);
  });

  it('of a running one answers that it is cancelling; a second call says the same', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const { jobId } = await submit(progress, aSubmission({ ownerId, priority: 'high' }));
    await lease(progress, 'w1');
    for (let call = 0; call < 2; call++) {
      expect(await progress.call('POST', `${path(jobId)}/cancel`, { token })).toMatchObject({
        status: 202,
        body: { status: 'processing', cancelling: true, phase: 'stopping' },
      });
    }
  });
});

describe('who may', () => {
  it('broadcasters and admins cancel, analysts look, viewers neither, strangers nothing', async () => {
    const { ownerId } = await progress.tokenOf('broadcaster');
    const { jobId } = await submit(progress, aSubmission({ ownerId }));
    const expected = { admin: [200, 202], broadcaster: [200, 409], analyst: [200, 403], viewer: [403, 403] } as const;
    for (const [role, statuses] of Object.entries(expected)) {
      const { token } = await progress.tokenOf(role as keyof typeof expected, ownerId);
      const read = await progress.call('GET', path(jobId), { token });
      const cancelled = await progress.call('POST', `${path(jobId)}/cancel`, { token });
      expect([read.status, cancelled.status], role).toEqual(statuses);
    }
    expect((await progress.call('GET', path(jobId))).status).toBe(401);
  });
});

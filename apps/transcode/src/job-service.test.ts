import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeaseRequest } from '@millrace/api';
import { type Clock, systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { aProbeResult, aProbeTask, createMemoryJobLeases, createRecordingWriter } from '@millrace/handover/testing';
import { silentLogger } from '@millrace/log';
import { fetchToScratch } from '@millrace/media-store';
import { openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry, renderMetrics } from '@millrace/metrics';
import { expectOk, ok } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { transcodeSettings } from './config.ts';
import type { TaskExecutors } from './core/task-executor.ts';
import { createTranscodeService } from './service.ts';

let dataDir: string;
/** By how much the worker's clock is ahead, ms. */
let aheadMs: number;
const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-transcode-'));
  aheadMs = 0;
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const settings = (env: Record<string, string> = {}) => expectOk(loadSettings(transcodeSettings, env), 'settings');
const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 5_000, interval: 5 });

async function aService(leases: ReturnType<typeof createMemoryJobLeases>, env: Record<string, string> = {}) {
  const scratch: string[] = [];
  const originals: number[] = [];
  const mediaStore = openMemoryStore();
  await mediaStore.put('videos/vid_1/source', [Buffer.from('film')]);
  const probe: TaskExecutors['probe'] = async (_spec, context) => {
    scratch.push(context.scratch);
    const path = await fetchToScratch(context.store, 'videos/vid_1/source', context.scratch, context.signal);
    originals.push(statSync(expectOk(path, 'original')).ino);
    context.report(0.5, 'half of it');
    return ok(aProbeResult());
  };
  const metrics = openMetricsRegistry({ processMetrics: false });
  const service = await createTranscodeService({
    settings: settings(env),
    desks: [{ park: () => ({ [Symbol.asyncDispose]: async () => {} }) }],
    writer: createRecordingWriter(),
    facts: {
      instanceId: 'transcode-1',
      incarnation: 1,
      sampleRoom: 10_000,
      fact: async () => {},
      sample: () => {},
      [Symbol.asyncDispose]: async () => {},
    },
    log: silentLogger,
    clock,
    metrics,
    workerId: 'transcode-1',
    jobs: { leases, mediaStore, dataDir, executors: { probe } },
  });
  return { service, scratch, originals, text: async () => (await renderMetrics([metrics])).body };
}

describe('transcode with media jobs', () => {
  it('does tasks in scratch folders of its worker, under a name of this start, and counts them', async () => {
    using desk = createMemoryJobLeases(clock);
    const asked: LeaseRequest[] = [];
    const { lease } = desk;
    desk.lease = (request, signal) => {
      asked.push(request);
      return lease(request, signal);
    };
    const { service, scratch, text } = await aService(desk, { TRANSCODE_JOB_SLOTS: '3' });
    desk.add(aProbeTask('tsk_1'));
    await soon(() => expect(desk.tasks.get('tsk_1')!.state.kind).toBe('done'));
    expect(scratch).toEqual([join(dataDir, 'scratch', 'transcode-1', 'tsk_1.1')]);
    expect(asked[0]).toMatchObject({
      slots: 3,
      kinds: ['probe'],
      worker_id: expect.stringMatching(/^transcode-1\.\w{8}$/),
    });
    await soon(async () =>
      expect(await text()).toContain('millrace_transcode_tasks_total{kind="probe",outcome="done"} 1'),
    );
    await service[Symbol.asyncDispose]();
    expect(readdirSync(join(dataDir, 'scratch', 'transcode-1'))).toEqual([]);
  });

  it('fetches an original from the store once for the tasks that follow one another', async () => {
    using desk = createMemoryJobLeases(clock);
    const { service, originals } = await aService(desk);
    for (const id of ['tsk_1', 'tsk_2']) {
      desk.add(aProbeTask(id));
      await soon(() => expect(desk.tasks.get(id)!.state.kind).toBe('done'));
    }
    expect(originals).toHaveLength(2);
    expect(new Set(originals).size).toBe(1);
    expect(readdirSync(join(dataDir, 'scratch', 'transcode-1', 'copies'))).toHaveLength(1);
    await service[Symbol.asyncDispose]();
    expect(readdirSync(join(dataDir, 'scratch', 'transcode-1'))).toEqual([]);
  });

  it('is not ready while progress does not answer, and does not start in the scratch folder of another', async () => {
    using desk = createMemoryJobLeases(clock);
    const { service } = await aService(desk);
    expect(service.readiness()).toEqual({ ready: true, reasons: [] });
    desk.failWith({ kind: 'unavailable', message: 'gone' });
    await soon(() => {
      aheadMs += 500;
      expect(service.readiness()).toEqual({ ready: false, reasons: ['progress does not answer'] });
    });
    await expect(aService(desk)).rejects.toThrow('is in use by process');
    desk.failWith(undefined);
    await soon(() => expect(service.readiness().ready).toBe(true));
    await service[Symbol.asyncDispose]();
  });
});

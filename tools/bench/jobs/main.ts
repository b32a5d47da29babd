/** `npm run bench:jobs [-- --quick]`: what media jobs cost, and writes docs/benchmarks-jobs.md (not with --quick). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '../../rig/standalone-server.ts';
import { rootDir } from '../../setup/workspace.mjs';
import { measureOverhead } from './overhead.ts';
import { measureQueue } from './queue.ts';
import { renderJobsReport } from './report.ts';
import { measureCancel, measureProgress } from './running.ts';
import { measureSubmit } from './submit.ts';
import { measureWorkerDeath } from './worker-death.ts';

const quick = process.argv.includes('--quick');
const say = (what: string, result: unknown) =>
  process.stdout.write(`${what}: ${JSON.stringify(result, undefined, 1)}\n`);
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-jobs-'));
const dataDir = join(dir, 'data');
try {
  const submit = await withServer((server) => measureSubmit(server, dir, quick));
  say('accepting', submit);
  const [progress, cancel] = await withServer(async (server) => {
    const first = await measureProgress(server, dir, quick);
    say('progress', first);
    return [first, await measureCancel(server, dir, dataDir, quick)] as const;
  });
  say('cancel', cancel);
  const plan = quick ? { seconds: 20, repetitions: 1 } : { seconds: 90, repetitions: 5 };
  const overhead = await withServer((server) => measureOverhead(server, dir, plan));
  say('overhead', overhead);
  const workerDeath = await measureWorkerDeath(dir, quick);
  say('kill -9 of a worker', workerDeath);
  const queue = await measureQueue(quick ? 1_000 : 5_000);
  say('queue', queue);
  const page = renderJobsReport({ date: new Date(), submit, progress, overhead, cancel, workerDeath, queue });
  if (quick) process.stdout.write(page);
  else writeFileSync(join(rootDir, 'docs/benchmarks-jobs.md'), page);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function withServer<T>(work: (server: Awaited<ReturnType<typeof startStandalone>>) => Promise<T>): Promise<T> {
  const settings = {
    ...{ DATA_DIR: dataDir, LOG_LEVEL: 'warn', PROGRESS_MAX_QUEUED_JOBS: '100000', PROGRESS_MAX_ACTIVE_JOBS: '1000' },
    TRANSCODE_JOB_SLOTS: '1',
  };
  try {
    await using server = await startStandalone(settings);
    return await work(server);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

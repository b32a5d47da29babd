/**
 * `npm run bench:jobs [-- --quick] [-- --only=progress,overhead]`: what media jobs cost, and writes docs/benchmarks-jobs.md (not with
 * either). Parts: submit, progress, cancel, overhead, workerDeath, joins, queue.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '../../rig/standalone-server.ts';
import { rootDir } from '../../setup/workspace.mjs';
import { measureJoins } from './joins.ts';
import { measureOverhead } from './overhead.ts';
import { measureQueue } from './queue.ts';
import { renderJobsReport } from './report.ts';
import { measureCancel, measureProgress } from './running.ts';
import { measureSubmit } from './submit.ts';
import { measureWorkerDeath } from './worker-death.ts';

const quick = process.argv.includes('--quick');
const only =
  process.argv
    .find((arg) => arg.startsWith('--only='))
    ?.slice('--only='.length)
    .split(',') ?? [];
const say = (what: string, result: unknown) =>
  process.stdout.write(`${what}: ${JSON.stringify(result, undefined, 1)}\n`);
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-jobs-'));
const dataDir = join(dir, 'data');
const parts = {
  submit: () => withServer((server) => measureSubmit(server, dir, quick)),
  progress: () => withServer((server) => measureProgress(server, dir, quick)),
  cancel: () => withServer((server) => measureCancel(server, dir, dataDir, quick)),
  overhead: () =>
    withServer((server) =>
      measureOverhead(server, dir, quick ? { seconds: 20, repetitions: 1 } : { seconds: 90, repetitions: 5 }),
    ),
  workerDeath: () => measureWorkerDeath(dir, quick),
  joins: () => measureJoins(quick ? 30 : 300),
  queue: () => measureQueue(quick ? 1_000 : 5_000),
};
try {
  if (only.length > 0) {
    for (const [name, measure] of Object.entries(parts)) if (only.includes(name)) say(name, await measure());
  } else {
    const part = async <T>(name: string, measure: () => Promise<T>): Promise<T> => {
      const result = await measure();
      say(name, result);
      return result;
    };
    const page = renderJobsReport({
      submit: await part('submit', parts.submit),
      progress: await part('progress', parts.progress),
      cancel: await part('cancel', parts.cancel),
      overhead: await part('overhead', parts.overhead),
      workerDeath: await part('workerDeath', parts.workerDeath),
      joins: await part('joins', parts.joins),
      queue: await part('queue', parts.queue),
      date: new Date(),
    });
    if (quick) process.stdout.write(page);
    else writeFileSync(join(rootDir, 'docs/benchmarks-jobs.md'), page);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function withServer<T>(work: (server: Awaited<ReturnType<typeof startStandalone>>) => Promise<T>): Promise<T> {
  const settings = {
    ...{ DATA_DIR: dataDir, LOG_LEVEL: 'warn', PROGRESS_MAX_QUEUED_JOBS: '100000', PROGRESS_MAX_ACTIVE_JOBS: '1000' },
    PROGRESS_MAX_VIDEOS: '1000000',
    TRANSCODE_JOB_SLOTS: '1',
  };
  try {
    await using server = await startStandalone(settings);
    return await work(server);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

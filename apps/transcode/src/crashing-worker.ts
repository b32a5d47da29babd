/**
 * A worker as a process of its own, for tests that kill it: its tasks are encodes that never end. Arguments: the listener to lease
 * from, its service token, its data folder. Says `ready` when what was left of an earlier run is gone.
 */
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { runFfmpeg } from '@millrace/ffmpeg';
import { openJobLeaseClient } from '@millrace/handover';
import { silentLogger as log } from '@millrace/log';
import { openFolderStore } from '@millrace/media-store';
import { openMetricsRegistry } from '@millrace/metrics';
import { err } from '@millrace/result';
import type { TaskExecutors } from './core/task-executor.ts';
import { JobWorker } from './inbound/job-worker.ts';
import { createTranscodeMetrics } from './metrics.ts';
import { openScratchSpace } from './outbound/scratch-space.ts';

const [baseUrl = '', serviceToken = '', dataDir = ''] = process.argv.slice(2);
const clock = systemClock;

const probe: TaskExecutors['probe'] = async (_spec, { signal, scratch, report }) => {
  const graph = 'testsrc2=size=640x360:rate=30';
  const run = await runFfmpeg({
    inputs: [{ kind: 'graph', graph, options: ['-re'] }],
    args: ['-c:v', 'libx264', '-preset', 'ultrafast', '-f', 'mpegts', join(scratch, 'endless.ts')],
    signal,
    onProgress: (outTimeMs) => report(outTimeMs / 3_600_000),
    log,
  });
  const reason = run.ok ? 'an endless encode ended' : run.error.reason;
  return err({ code: 'ended', reason, retryable: false });
};

const scratch = await openScratchSpace({
  folder: join(dataDir, 'scratch', 'transcode-1'),
  clock,
  log,
  onLeftovers: (left) => void process.stdout.write(`ready ${JSON.stringify(left)}\n`),
  onStuck: () => {},
});
const worker = new JobWorker({
  leases: openJobLeaseClient({ baseUrl, serviceToken, clock, log }),
  workerId: `transcode-1.${process.pid}`,
  slots: 2,
  scratchBytes: 1e9,
  executors: { probe },
  store: await openFolderStore({ folder: join(dataDir, 'media') }),
  scratch,
  clock,
  log,
  metrics: createTranscodeMetrics(openMetricsRegistry({ processMetrics: false })),
  isSpare: () => true,
  random: Math.random,
});
// Its test may be killed as well; until then the open input keeps the process alive.
process.stdin.once('end', () => process.exit(0)).resume();
process.once('SIGTERM', () => void worker[Symbol.asyncDispose]().then(() => process.exit(0)));

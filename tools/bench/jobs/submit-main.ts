/** `node tools/setup/tool.mjs tools/bench/jobs/submit-main.ts [--quick]`: only the accepting part of `npm run bench:jobs`, printed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '../../rig/standalone-server.ts';
import { measureSubmit, submitRows } from './submit.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-submit-'));
try {
  await using server = await startStandalone({
    ...{ DATA_DIR: join(dir, 'data'), LOG_LEVEL: 'warn', TRANSCODE_JOB_SLOTS: '1' },
    ...{ PROGRESS_MAX_QUEUED_JOBS: '100000', PROGRESS_MAX_ACTIVE_JOBS: '1000', PROGRESS_MAX_VIDEOS: '1000000' },
  });
  const result = await measureSubmit(server, dir, process.argv.includes('--quick'));
  for (const [what, measured] of submitRows(result)) process.stdout.write(`${what}: ${measured}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/**
 * `npm run bench:live`: measures latency, publishers and viewers in one run and writes docs/benchmarks.md.
 * Arguments: any of `latency`, `publishers`, `viewers` for a part (printed, not written); `--quick` for short ones; `--publishers=10,30`.
 */
import { writeFileSync } from 'node:fs';
import { startStandalone } from '../../rig/standalone-server.ts';
import { inRepository } from '../../setup/workspace.mjs';
import { measureLatency } from './latency.ts';
import { measurePassthrough } from './passthrough.ts';
import { renderReport } from './report.ts';
import { measureViewers } from './viewer-load.ts';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const wants = (part: string) => wanted.length === 0 || wanted.includes(part);
const counts = args
  .find((arg) => arg.startsWith('--publishers='))
  ?.split('=')[1]
  ?.split(',')
  .map(Number);
const say = (line: string) => process.stderr.write(`[bench] ${line}\n`);

const passthrough = wants('publishers')
  ? await measurePassthrough(
      { counts: counts ?? (quick ? [10] : [1, 10, 30]), settleMs: 10_000, measureMs: quick ? 10_000 : 30_000 },
      say,
    )
  : [];
const viewers = wants('viewers') ? await measureViewers(quick, say) : '';
const latency = wants('latency') ? await latencies() : [];

const page = renderReport({ date: new Date(), latency, passthrough, viewers });
process.stdout.write(page);
if (wanted.length === 0 && !quick) writeFileSync(inRepository('docs', 'benchmarks.md'), page);

async function latencies() {
  await using server = await startStandalone({ LOG_LEVEL: 'warn' });
  const plan = quick
    ? { ownRuns: 1, stockRuns: 1, settleMs: 5_000, measureMs: 10_000 }
    : { ownRuns: 3, stockRuns: 10, settleMs: 6_000, measureMs: 12_000 };
  return await measureLatency(server, plan, say);
}

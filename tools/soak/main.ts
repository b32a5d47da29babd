/**
 * `npm run test:soak`: the tests that take minutes. Arguments: any of `steady`, `storm`, `fuzz`, `kafka`, `kill-any` (`--only=kafka,hub-1`), `kill-jobs`, `kill-uploads`, `many-jobs` (`--jobs=1000`), `hub-storm`; `--minutes=3` for each; `--seed=1`.
 * Ends with `N passed, N failed`.
 */
import { startStandalone } from '../rig/standalone-server.ts';
import { hubStorm } from './hub-storm.ts';
import { brokersDying } from './kafka-faults.ts';
import { killAny } from './kill-any.ts';
import { killJobs } from './kill-jobs.ts';
import { killUploads } from './kill-uploads.ts';
import { manyJobs } from './many-jobs.ts';
import { fuzz, type SoakPlan, steady, storm } from './scenarios.ts';

const scenarios: Readonly<Record<string, (plan: SoakPlan) => Promise<readonly string[]>>> = { steady, storm, fuzz };
const args = process.argv.slice(2);
const option = (name: string, fallback: number) =>
  Number(args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const list = (name: string) =>
  args
    .find((arg) => arg.startsWith(`--${name}=`))
    ?.split('=')[1]
    ?.split(',') ?? [];
const minutes = option('minutes', 3);
const seed = option('seed', Date.now() % 1_000_000);
const wanted = args.filter((arg) => !arg.startsWith('--'));
const say = (line: string) => process.stderr.write(`[soak] ${line}\n`);

let failed = 0;
const names = [
  ...Object.keys(scenarios),
  'kafka',
  'kill-any',
  'kill-jobs',
  'kill-uploads',
  'many-jobs',
  'hub-storm',
].filter((name) => wanted.length === 0 || wanted.includes(name));
for (const name of names) {
  const startedAt = performance.now();
  const wrong = await run(name).catch((error: unknown) => [
    error instanceof Error ? (error.stack ?? '') : String(error),
  ]);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`${wrong.length === 0 ? 'passed' : 'FAILED'} ${name} (${seconds} s, seed ${seed})\n`);
  for (const line of wrong) process.stdout.write(`  ${line}\n`);
  if (wrong.length > 0) failed++;
}
process.stdout.write(`${names.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

function run(name: string): Promise<readonly string[]> {
  if (name === 'hub-storm') return hubStorm(say);
  if (name === 'kill-jobs') return killJobs({ durationMs: minutes * 60_000, seed, say });
  if (name === 'many-jobs') return manyJobs({ jobs: option('jobs', 1_000), seed, say });
  if (name === 'kill-uploads') return killUploads({ durationMs: minutes * 60_000, say });
  if (name === 'kafka') return brokersDying({ durationMs: minutes * 60_000, seed, say });
  return name === 'kill-any' ? killAny(say, list('only')) : live(name);
}

/** One scenario on a server of its own, which afterwards has to drain with exit code 0. */
async function live(name: string): Promise<readonly string[]> {
  await using server = await startStandalone({ LOG_LEVEL: 'warn' });
  const wrong = (await scenarios[name]?.({ server, durationMs: minutes * 60_000, seed, say })) ?? [];
  const code = await server.stop('SIGTERM');
  return code === 0 ? wrong : [...wrong, `the drain ended with exit code ${code}: ${server.log().slice(-2_000)}`];
}

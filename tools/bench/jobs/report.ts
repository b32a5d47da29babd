/** docs/benchmarks-jobs.md: the figures of one run. */
import { table } from '../../docs/markdown.ts';
import { machine } from '../live/report.ts';
import type { JoinResult } from './joins.ts';
import type { OverheadResult } from './overhead.ts';
import type { QueueResult } from './queue.ts';
import type { CancelResult, ProgressResult } from './running.ts';
import { type SubmitResult, submitRows } from './submit.ts';
import type { WorkerDeathResult } from './worker-death.ts';

export interface JobsReport {
  readonly date: Date;
  readonly submit: SubmitResult;
  readonly progress: ProgressResult;
  readonly overhead: OverheadResult;
  readonly cancel: CancelResult;
  readonly workerDeath: WorkerDeathResult;
  readonly joins: readonly JoinResult[];
  readonly queue: QueueResult;
}

export function renderJobsReport(report: JobsReport): string {
  const { date, submit, progress, overhead, cancel, workerDeath, joins, queue } = report;
  const ms = (value: number) => `${Math.round(value)} ms`;
  const share = (value: number) => (Number.isNaN(value) ? 'none' : `${Math.round(value * 100)} %`);
  const rows = [
    ...submitRows(submit),
    ['state to WebSocket', `p50 ${ms(progress.delayP50Ms)}, p95 ${ms(progress.delayP95Ms)}`],
    [
      'from one state to the next',
      `p50 ${ms(progress.gapP50Ms)}, p95 ${ms(progress.gapP95Ms)}, ${progress.messages} in all`,
    ],
    ['error of the estimated end at 1/4, 1/2, 3/4', progress.etaErrors.map(share).join(', ')],
    ['ladder over one ffmpeg for each rung', overheadText(overhead)],
    ['cancel until nothing is left', `p50 ${ms(cancel.p50Ms)}, slowest of ${cancel.cancels} ${ms(cancel.slowestMs)}`],
    [
      'kill -9 of a worker until another has its span',
      `p50 ${ms(workerDeath.p50Ms)}, slowest of ${workerDeath.kills} ${ms(workerDeath.slowestMs)}; at most ${workerDeath.mostLost} span begun anew`,
    ],
    ...joins.map((join) => [
      `two videos of 300 s joined, ${join.name}`,
      `${Math.round(join.timesReal)} x real time, ${Math.round(join.timesPerCore)} x per core; largest step of progress ${share(join.largestStep)}`,
    ]),
    [
      'queue: jobs of one empty task',
      `${Math.round(queue.submittedPerS)}/s submitted, ${Math.round(queue.donePerS)}/s done, ${queue.cores.toFixed(2)} cores beside PostgreSQL`,
    ],
  ];
  const parts = [
    '# Benchmarks of media jobs',
    '<!-- Written by `npm run bench:jobs`: run that, do not edit this page. -->',
    `Measured on ${date.toISOString().slice(0, 10)} with \`npm run bench:jobs\`. Server, database, encoders and clients ran on one machine: ${machine()}.`,
    table(['what', 'measured'], rows),
    'Before the rounds of 202s, 3,000 submits at 300/s are not counted: Node compiles meanwhile what runs often. The error of an estimate is its distance from the real end over the whole time. The ladder is of 90 s of silent 1280x720 and its time is without what else the one slot of the worker did meanwhile; CPU of the encoders is without that for the poster. A worker that is killed had the only span of its job, the other one was free. Joins have a worker of two slots; the first one reads the packets of the files, as the first task of a composition does, and what was read is remembered. Where loudness is evened the sound is encoded in spans side by side, and a steady tone, which these videos have, takes the AAC encoder four times as long as noise. BullMQ publishes 11,000 jobs/s on 12 cores of a laptop (8 to 32 at once, PostgreSQL), about 900 a core; its jobs have no steps, facts or fences.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function overheadText({ runs, ladderRatio, jobRatio, encodersCpuRatio, allCpuRatio }: OverheadResult): string {
  const load = runs.map((run) => run.load.toFixed(1)).join(', ');
  return [
    `${ladderRatio.toFixed(3)} x the time (whole job ${jobRatio.toFixed(3)} x)`,
    `${encodersCpuRatio.toFixed(3)} x the CPU, ${allCpuRatio.toFixed(3)} x with the server's`,
    `medians of ${runs.length}, ${runs[0]?.spans ?? 0} spans, load before each ${load}`,
  ].join('; ');
}

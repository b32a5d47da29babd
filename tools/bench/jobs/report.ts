/** docs/benchmarks-jobs.md: the figures of one run. */
import { table } from '../../docs/markdown.ts';
import { machine } from '../live/report.ts';
import type { QueueResult } from './queue.ts';
import type { CancelResult, ProgressResult } from './running.ts';
import type { SubmitResult } from './submit.ts';

export interface JobsReport {
  readonly date: Date;
  readonly submit: SubmitResult;
  readonly progress: ProgressResult;
  readonly cancel: CancelResult;
  readonly queue: QueueResult;
}

export function renderJobsReport({ date, submit, progress, cancel, queue }: JobsReport): string {
  const ms = (value: number) => `${Math.round(value)} ms`;
  const share = (value: number) => (Number.isNaN(value) ? 'none' : `${Math.round(value * 100)} %`);
  const rows = [
    ...submit.rates.map((rate) => [
      `202 at ${rate.perSecond}/s while an encoder runs`,
      `p50 ${ms(rate.p50Ms)}, p99 ${ms(rate.p99Ms)}, slowest ${ms(rate.slowestMs)}; ${rate.accepted} of ${rate.submissions} accepted`,
    ]),
    ['1,000 equal calls at once', `${submit.equalAccepted} accepted, ${submit.equalRefused} refused with 409`],
    ['state to WebSocket', `p50 ${ms(progress.delayP50Ms)}, p95 ${ms(progress.delayP95Ms)}`],
    [
      'from one state to the next',
      `p50 ${ms(progress.gapP50Ms)}, p95 ${ms(progress.gapP95Ms)}, ${progress.messages} in all`,
    ],
    ['error of the estimated end at 1/4, 1/2, 3/4', progress.etaErrors.map(share).join(', ')],
    [
      'ladder beside one ffmpeg for each rung',
      `${progress.ladderS.toFixed(1)} s, ${progress.bareS.toFixed(1)} s: ${(progress.ladderS / progress.bareS).toFixed(2)} x`,
    ],
    ['cancel until nothing is left', `p50 ${ms(cancel.p50Ms)}, slowest of ${cancel.cancels} ${ms(cancel.slowestMs)}`],
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
    'The error of an estimate is its distance from the real end over the whole time. BullMQ publishes 11,000 jobs/s on 12 cores of a laptop (8 to 32 at once, PostgreSQL), about 900 a core; its jobs have no steps, facts or fences.',
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Every metric of transcode. Reasons are from bounded lists; no stream or session ids. */
import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';
import type { OriginChoice } from './outbound/origin-writer.ts';

export type TranscodeMetrics = ReturnType<typeof createTranscodeMetrics>;

/** Registers the counters and histograms in `registry`. */
export function createTranscodeMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `millrace_transcode_${name}_total`, help, labelNames: [...labelNames], registers });
  return {
    claims: counter('source_claims', 'Sources taken from ingest.'),
    claimsEnded: counter('source_claims_ended', 'Claims that are over, by reason.', ['reason']),
    parts: counter('parts', 'Parts that delivery took, by kind of rendition.', ['kind']),
    mediaBytes: counter('media_bytes', 'Media bytes in those parts.'),
    dropped: counter('frames_dropped', 'Frames and sequence headers that were not packaged, by reason.', ['reason']),
    silence: counter('silent_frames', 'Audio frames of silence put where audio was missing.'),
    discontinuities: counter('discontinuities', 'Discontinuities within a publish, by reason.', ['reason']),
    refusals: counter('write_refusals', 'Window writes that were refused, by kind.', ['reason']),
    pauses: counter('source_pauses', 'Times a publisher was slowed because parts waited for delivery.'),
    tasks: counter('tasks', 'Tasks of media jobs that are over, by kind and how they ended.', ['kind', 'outcome']),
    tasksStuck: counter('tasks_stuck', 'Tasks that ran on for 5 s after they were told to stop.', ['kind']),
    leaseHolds: counter('lease_holds', 'Seconds without asking for tasks although slots are free, by reason.', [
      'reason',
    ]),
    leaseCallsFailed: counter('lease_calls_failed', 'Calls to progress without success, by call.', ['reason']),
    leftovers: counter('leftovers', 'Processes and scratch folders of a killed worker, removed at the start.', [
      'kind',
    ]),
    speechNoise: counter(
      'speech_noise',
      'Texts of speech recognition that nobody said, left out of subtitles, by reason.',
      ['reason'],
    ),
    scratchStuck: counter('scratch_stuck', 'Scratch folders that could not be removed.'),
    taskSeconds: new Histogram<'kind'>({
      name: 'millrace_transcode_task_seconds',
      help: 'From a task being leased to nothing of it being left on the machine.',
      labelNames: ['kind'],
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000],
      registers,
    }),
    taskStopSeconds: new Histogram<'reason'>({
      name: 'millrace_transcode_task_stop_seconds',
      help: 'From a task being told to stop to its processes and scratch folder being gone.',
      labelNames: ['reason'],
      buckets: [0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 3, 10],
      registers,
    }),
    factsFailed: counter('facts_failed', 'Facts that could not be written.'),
    writeSeconds: new Histogram({
      name: 'millrace_transcode_part_write_seconds',
      help: 'From a part being cut to delivery having it.',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    }),
  };
}

/** Counts which origin a window was opened at: where it stands, the first choice, or the next one. */
export function originChoices(registry: MetricsRegistry): (choice: OriginChoice) => void {
  const counter = new Counter<'reason'>({
    name: 'millrace_transcode_origin_choices_total',
    help: 'Windows opened, by why at that origin.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (reason) => counter.inc({ reason });
}

/** Values that are read when somebody scrapes. */
export interface TranscodeGauges {
  readonly sources: () => number;
  readonly queuedBytes: () => number;
  readonly tasks: () => number;
  readonly scratchBytes: () => number;
}

/** Registers what is read when somebody scrapes. */
export function registerTranscodeGauges(registry: MetricsRegistry, gauges: TranscodeGauges): void {
  const table: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['sources', 'Sources held now.', gauges.sources],
    ['queued_bytes', 'Media bytes that wait to be cut or written.', gauges.queuedBytes],
    ['tasks_running', 'Tasks of media jobs that run now.', gauges.tasks],
    ['scratch_bytes', 'Scratch space of those tasks.', gauges.scratchBytes],
  ];
  for (const [name, help, read] of table) {
    new Gauge({
      name: `millrace_transcode_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}

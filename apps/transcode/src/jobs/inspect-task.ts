/** Looks at one input of a composition: whether its pictures can be copied, and how loud it is (EBU R128). */
import type { SpecOf, TaskFailure } from '@millrace/api';
import { runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { spsIdsOf } from '../core/avc-config.ts';
import { rangeOf } from '../core/join-plan.ts';
import { LoudnessReader } from '../core/loudness-reader.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinFiles } from './join-files.ts';
import { fingerprintOf, isJoinable, type JoinSource, readParameterSets } from './join-source.ts';
import { failureOfRun, refusal } from './task-failures.ts';

/** Compositions of compositions have the sets of all; beyond this there is hardly room for more. */
const mostSets = 16;

/** Executor of kind `inspect`. */
export function createInspectTask(settings: EncoderSettings, files: JoinFiles): TaskExecutor<'inspect'> {
  return async (spec, context) => {
    const opened = await files.open(spec.source, context);
    if (!opened.ok) return opened;
    const source = opened.value;
    const { table } = source;
    const { from, to } = rangeOf(table, spec.trim);
    if (to <= from) return err(refusal('bad-trim', 'expected pictures in the part that is taken, got none'));
    const config = isJoinable(source) ? await readParameterSets(source, settings, context) : ok(undefined);
    if (!config.ok) return config;
    context.report(0.2);
    const loudness = spec.loudness ? await measure(source, spec, settings, context) : ok(undefined);
    if (!loudness.ok) return loudness;
    return ok({
      kind: 'inspect',
      media: source.media,
      joinable: config.value !== undefined && spsIdsOf(config.value).length <= mostSets,
      fingerprint: fingerprintOf(source, config.value),
      sets_ids: config.value === undefined ? [] : [...spsIdsOf(config.value)],
      length_ms: table.timeAt(to) - table.timeAt(from),
      loudness_lufs: loudness.value?.lufs ?? null,
      peak_dbfs: loudness.value?.peakDbfs ?? null,
      trim_on_keyframe: table.canStart(from) && table.canEnd(to),
    });
  };
}

/** Undefined: no audio, or nothing in it that is heard. */
async function measure(
  { path, file, table }: JoinSource,
  { trim }: SpecOf<'inspect'>,
  { threads, niceness }: EncoderSettings,
  { signal, log, report }: TaskContext,
): Promise<Result<{ readonly lufs: number; readonly peakDbfs: number } | undefined, TaskFailure>> {
  if (file.audio === undefined) return ok(undefined);
  const reader = new LoudnessReader();
  const lengthMs = trim === null ? table.endMs : trim.end_ms - trim.start_ms;
  const part =
    trim === null
      ? []
      : ['-ss', (trim.start_ms / 1_000).toFixed(3), '-t', ((trim.end_ms - trim.start_ms) / 1_000).toFixed(3)];
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path, options: [...part, '-vn', '-sn', '-dn'] }],
    args: [
      ...['-map', `0:${file.audio.index}`, '-af'],
      'ebur128=metadata=1:peak=sample,ametadata=mode=print:file=pipe\\\\:1',
      ...['-f', 'null', '-'],
    ],
    onOutput: async (bytes) => {
      const decoder = new TextDecoder();
      for await (const piece of bytes) reader.feed(decoder.decode(piece, { stream: true }));
    },
    onProgress: (outTimeMs) => report(0.2 + 0.8 * Math.min(1, outTimeMs / lengthMs)),
    ...{ signal, log, limits: { threads, niceness } },
  });
  if (!run.ok) return err(failureOfRun(run.error, 'measuring the loudness of a video'));
  return ok(reader.result);
}

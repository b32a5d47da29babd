/** Makes one span of the joined sound, and reads it again: AAC in ADTS, kept in the job's folder. */
import type { JoinTarget, TaskFailure } from '@millrace/api';
import { runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { AdtsReader } from '../core/adts-reader.ts';
import type { JoinPlan, Stretch, Transition } from '../core/join-plan.ts';
import { joinSoundArgs, soundGraph } from '../core/join-sound.ts';
import { feedOf, type SoundSource, type SoundSpan } from '../core/sound-plan.ts';
import type { TaskContext } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinSource } from './join-source.ts';
import type { KeptParts } from './kept-parts.ts';
import { failureOfRun } from './task-failures.ts';

export interface SpanJob {
  readonly sources: readonly JoinSource[];
  readonly plan: JoinPlan;
  readonly transition: Transition;
  readonly target: JoinTarget;
  readonly settings: EncoderSettings;
  /** Of each input, dB. */
  readonly gainsDb: readonly number[];
  /** How much is encoded in one go, ms. */
  readonly spanMs: number;
  readonly kept: KeptParts;
}

/** What the plan of the sound is made from. */
export function soundSourcesOf({ sources, plan, gainsDb }: SpanJob): readonly SoundSource[] {
  return sources.map(({ file, aac, seekable }, i) => {
    return { stretch: stretchOf(plan, i), aac, seekable, audible: file.audio !== undefined, gainDb: gainsDb[i] ?? 0 };
  });
}

function stretchOf({ stretches }: JoinPlan, at: number): Stretch {
  const stretch = stretches[at];
  if (stretch === undefined) throw new Error(`expected input ${at} in the plan`);
  return stretch;
}

function spanName({ from, to }: SoundSpan): string {
  return `sound-${from}-${to}.aac`;
}

/** Encodes a span, unless it is kept already. `onProgress`: ms of it that are done. */
export async function makeSpan(
  span: SoundSpan,
  job: SpanJob,
  { signal, log }: Pick<TaskContext, 'signal' | 'log'>,
  onProgress: (doneMs: number) => void,
): Promise<Result<void, TaskFailure>> {
  const { sources, plan, target, transition, settings, gainsDb } = job;
  return job.kept.make(spanName(span), async (path) => {
    const inputs = sources.map(({ file, seekable }, i) => ({
      ...{ ...stretchOf(plan, i), stream: file.audio?.index, gainDb: gainsDb[i] ?? 0, seekable },
    }));
    const { opened, graph } = soundGraph(inputs, transition, target, feedOf(span));
    const run = await runFfmpeg({
      inputs: opened.map(({ input, fromMs }) => {
        const seek = fromMs <= 0 ? [] : ['-ss', (fromMs / 1_000).toFixed(6)];
        return { kind: 'file', path: sources[input]?.path ?? '', options: [...seek, '-vn', '-sn', '-dn'] };
      }),
      args: [
        // at these bit rates the fast coder sounds no worse than the default one, and encoding is what a join waits for
        ...['-filter_complex', graph, '-map', '[sound]', ...joinSoundArgs(target), '-aac_coder', 'fast'],
        ...['-f', 'adts', path],
      ],
      onProgress,
      ...{ signal, log, limits: { threads: settings.threads, niceness: settings.niceness } },
    });
    return run.ok ? ok() : err(failureOfRun(run.error, 'encoding the sound'));
  });
}

/** Hands the packets of a span that was made to `push`. */
export async function readSpan(
  span: SoundSpan,
  { kept }: SpanJob,
  push: (packet: Uint8Array) => Promise<void>,
  reader = new AdtsReader(),
): Promise<Result<void, TaskFailure>> {
  const bytes = await kept.read(spanName(span));
  if (!bytes.ok) return bytes;
  const { skip } = feedOf(span);
  const wanted = span.to - span.from;
  let seen = 0;
  for await (const piece of bytes.value) {
    for (const packet of reader.feed(piece)) {
      const at = seen++ - skip;
      if (at >= 0 && at < wanted) await push(packet);
    }
  }
  const got = Math.max(0, Math.min(wanted, seen - skip));
  if (got === wanted) return ok();
  const reason = `encoding the sound: expected ${wanted} packets, ${got} came`;
  return err({ code: 'encoder-failed', reason, retryable: true });
}

/** Writes the sound of a join into one track on scratch: copied where every input has the same and none a gain, encoded otherwise. */
import { type TaskFailure } from '@millrace/api';
import { writeInitSection, writePart } from '@millrace/cmaf';
import { runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { AdtsReader } from '../core/adts-reader.ts';
import type { Transition } from '../core/join-plan.ts';
import { type AacPackets, frameSamples, type PacketRange, planPackets, soundGraph } from '../core/join-sound.ts';
import { silentFrame } from '../core/silence.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { fragmentedOutput } from './encode-track.ts';
import type { PictureJob } from './join-pictures.ts';
import { type JoinSource, seekTo } from './join-source.ts';
import { failureOfRun } from './task-failures.ts';
import { TrackFile } from './track-file.ts';

export interface SoundJob extends Omit<PictureJob, 'transition'> {
  readonly transition: Transition;
  /** Of each input, dB. */
  readonly gainsDb: readonly number[];
}

/** Writes the sound to `path`; `none`: no input has any. */
export async function joinSound(
  path: string,
  job: SoundJob,
  context: TaskContext,
): Promise<Result<'copied' | 'encoded' | 'none', TaskFailure>> {
  if (job.sources.every(({ file }) => file.audio === undefined)) return ok('none');
  const even = job.transition.kind === 'cut' && job.gainsDb.every((gain) => gain === 0);
  const inputs = job.sources.map(({ aac }, i) => ({ aac, stretch: stretchOf(job, i) }));
  const ranges = even ? planPackets(inputs) : undefined;
  const model = job.sources[0]?.aac;
  if (ranges === undefined || model === undefined) return encode(path, job, context);
  return copy(path, job, ranges, model, context);
}

function stretchOf({ plan }: SoundJob, at: number) {
  const stretch = plan.stretches[at];
  if (stretch === undefined) throw new Error(`expected input ${at} in the plan`);
  return stretch;
}

async function encode(
  path: string,
  job: SoundJob,
  { signal, log }: TaskContext,
): Promise<Result<'encoded', TaskFailure>> {
  const { sources, target, transition, plan, settings } = job;
  const graph = soundGraph(
    sources.map(({ file }, i) => ({
      ...{ ...stretchOf(job, i), stream: file.audio?.index, gainDb: job.gainsDb[i] ?? 0 },
    })),
    transition,
    target,
  );
  const run = await runFfmpeg({
    inputs: sources.map(({ path: source }, i) => ({
      ...{ kind: 'file', path: source, options: [...seekTo(stretchOf(job, i).fromMs), '-vn', '-sn', '-dn'] },
    })),
    args: [
      // at these bit rates the fast coder sounds no worse than the default one, and encoding is what a join waits for
      ...['-filter_complex', graph, '-map', '[sound]', '-map_metadata', '-1', '-c:a', 'aac', '-aac_coder', 'fast'],
      ...['-b:a', target.channels === 1 ? '96k' : '160k', '-ac', String(target.channels)],
      ...['-frag_duration', '4000000', ...fragmentedOutput.slice(0, -1), path],
    ],
    onProgress: (outTimeMs) => job.onProgress(Math.min(1, outTimeMs / plan.lengthMs)),
    ...{ signal, log, limits: { threads: settings.threads, niceness: settings.niceness } },
  });
  return run.ok ? ok('encoded') : err(failureOfRun(run.error, 'encoding the sound'));
}

/** Packets that are written as one fragment: about four seconds. */
const fragmentPackets = 192;

async function copy(
  path: string,
  job: SoundJob,
  ranges: readonly PacketRange[],
  model: AacPackets,
  context: TaskContext,
): Promise<Result<'copied', TaskFailure>> {
  await using file = await TrackFile.create(path);
  let held: Uint8Array[] = [];
  let written = 0;
  const flush = async () => {
    if (held.length === 0) return;
    const samples = held.map(({ length }) => ({
      ...{ durationTicks: frameSamples, size: length, keyframe: true, compositionTicks: 0 },
    }));
    const baseDts = written * frameSamples;
    await file.append(
      writePart({ sequence: written + 1, trackId: 1, baseDts, samples, payloads: held, segmentStart: false }),
    );
    written += held.length;
    job.onProgress((written * frameSamples * 1_000) / model.rate / job.plan.lengthMs);
    held = [];
  };
  const push = async (frame: Uint8Array) => {
    held.push(frame);
    if (held.length === fragmentPackets) await flush();
  };
  const silence = silentFrame({ objectType: 2, channels: model.channels });
  let config: Uint8Array | undefined;
  for (const [i, source] of job.sources.entries()) {
    const range = ranges[i];
    if (range === undefined || source.aac === undefined) throw new Error(`expected packets of input ${i}`);
    const read = await readFrames(source, source.aac, range, push, job, context);
    if (!read.ok) return read;
    config ??= read.value.config;
    const missing = range.silent + range.count - read.value.frames;
    for (let n = 0; n < missing && silence !== undefined; n++) await push(silence);
    const { atMs, lengthMs } = stretchOf(job, i);
    job.onProgress((atMs + lengthMs) / job.plan.lengthMs);
  }
  await flush();
  if (config === undefined)
    return err({ code: 'encoder-failed', reason: 'copying the sound: none came', retryable: true });
  const { rate: timescale, channels } = model;
  await file.finish(writeInitSection({ kind: 'audio', trackId: 1, timescale, channels, audioConfig: config }));
  return ok('copied');
}

/** Hands the frames of `range` to `push`, each in memory of its own. */
async function readFrames(
  { path }: JoinSource,
  { stream }: AacPackets,
  { first, count }: PacketRange,
  push: (frame: Uint8Array) => Promise<void>,
  { settings }: SoundJob,
  { signal, log }: TaskContext,
): Promise<Result<{ readonly frames: number; readonly config: Uint8Array | undefined }, TaskFailure>> {
  const reader = new AdtsReader();
  let seen = 0;
  let frames = 0;
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path, options: ['-vn', '-sn', '-dn'] }],
    args: ['-map', `0:${stream}`, '-c', 'copy', '-frames:a', String(first + count), '-f', 'adts', 'pipe:1'],
    onOutput: async (bytes) => {
      for await (const piece of bytes) {
        for (const frame of reader.feed(piece)) {
          if (seen++ < first || frames >= count) continue;
          frames++;
          await push(frame);
        }
      }
    },
    ...{ signal, log, limits: { threads: settings.threads, niceness: settings.niceness } },
  });
  if (!run.ok) return err(failureOfRun(run.error, 'copying the sound'));
  return ok({ frames, config: reader.config });
}

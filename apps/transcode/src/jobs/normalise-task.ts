/** Brings one input of a composition to the format of the others: pictures to the frame, sound of exactly their length. */
import { join } from 'node:path';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type FfmpegInput, probeFile, runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { framesIn, joinEncoderArgs, joinPictureFilter } from '../core/join-encoder.ts';
import { rangeOf } from '../core/join-plan.ts';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinFiles } from './join-files.ts';
import { fingerprintOf, isIndexed, type JoinSource, readParameterSets, seekTo } from './join-source.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

/** Executor of kind `normalise`. */
export function createNormaliseTask(settings: EncoderSettings, files: JoinFiles): TaskExecutor<'normalise'> {
  return async (spec, context) => {
    const { signal, log, store, scratch } = context;
    const source = await files.open(spec.source, context);
    if (!source.ok) return source;
    const path = join(scratch, 'normalised.mp4');
    const encoded = await encode(source.value, spec, path, settings, context);
    if (!encoded.ok) return encoded;
    const probed = await probeFile(path, { signal, log });
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading what was encoded'));
    const { video } = probed.value;
    if (video === undefined) return err(refusal('bad-media', 'expected pictures in the video, none could be decoded'));
    const config = await readParameterSets({ path, video }, settings, context);
    if (!config.ok) return config;
    const kept = await store.putFile(spec.output, path);
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing what was encoded'));
    const facts = mediaFactsOf(probed.value, new PacketSurvey(probed.value));
    const media = { ...facts, duration_ms: Math.round(encoded.value) };
    return ok({ kind: 'normalise', media, fingerprint: fingerprintOf({ media }, config.value) });
  };
}

/** Encodes to `path`; gives the length, ms. */
async function encode(
  source: JoinSource,
  spec: SpecOf<'normalise'>,
  path: string,
  { preset, threads, niceness }: EncoderSettings,
  { signal, log, report }: TaskContext,
): Promise<Result<number, TaskFailure>> {
  const { table, file, video } = source;
  const { target } = spec;
  const { from, to } = rangeOf(table, spec.trim);
  if (to <= from) return err(refusal('bad-trim', 'expected pictures in the part that is taken, got none'));
  const [fromMs, toMs] = [table.timeAt(from), table.timeAt(to)];
  const frames = framesIn(toMs - fromMs, target);
  const lengthMs = (frames * 1_000) / target.frames_per_second;
  const inputs: FfmpegInput[] = [
    { kind: 'file', path: source.path, options: [...seekArgs(source, fromMs), '-sn', '-dn'] },
  ];
  if (file.audio === undefined) {
    const layout = target.channels === 1 ? 'mono' : 'stereo';
    inputs.push({ kind: 'graph', graph: `anullsrc=r=${target.sample_rate}:cl=${layout}` });
  }
  const sound = file.audio === undefined ? '1:0' : `0:${file.audio.index}`;
  const run = await runFfmpeg({
    inputs,
    args: [
      ...['-map', `0:${video.index}`, '-map', sound, '-map_metadata', '-1'],
      ...['-vf', `${cutArgs(source, fromMs)}${joinPictureFilter(video, target)}`, '-frames:v', String(frames)],
      ...joinEncoderArgs(target, { preset, threads, setsId: target.sets_id }),
      ...['-af', soundFilter(source, spec, fromMs, lengthMs), '-ac', String(target.channels)],
      ...['-c:a', 'aac', '-b:a', target.channels === 1 ? '96k' : '160k', '-f', 'mp4', path],
    ],
    onProgress: (outTimeMs) => report(Math.min(1, outTimeMs / lengthMs)),
    ...{ signal, log, limits: { threads, niceness } },
  });
  return run.ok ? ok(lengthMs) : err(failureOfRun(run.error, 'encoding a video'));
}

/** Where a seek finds its place, reading begins there. */
function seekArgs(source: JoinSource, fromMs: number): readonly string[] {
  return isIndexed(source) ? seekTo(fromMs) : [];
}

/** Elsewhere everything is decoded and what comes before is thrown away. */
function cutArgs(source: JoinSource, fromMs: number): string {
  if (fromMs <= 0 || isIndexed(source)) return '';
  return `trim=start=${((fromMs - source.table.frameMs / 2) / 1_000).toFixed(6)},`;
}

function soundFilter(source: JoinSource, spec: SpecOf<'normalise'>, fromMs: number, lengthMs: number): string {
  const { sample_rate: rate, channels } = spec.target;
  const cut = fromMs > 0 && !isIndexed(source) ? [`atrim=start=${(fromMs / 1_000).toFixed(6)}`] : [];
  return [
    ...(source.file.audio === undefined ? [] : [...cut, ...(cut.length > 0 ? ['asetpts=PTS-STARTPTS'] : [])]),
    `aresample=${rate}:async=1:min_hard_comp=0.1:first_pts=0`,
    `aformat=channel_layouts=${channels === 1 ? 'mono' : 'stereo'}`,
    ...(spec.gain_db === 0 ? [] : [`volume=${spec.gain_db}dB`]),
    `apad,atrim=end_sample=${Math.round((lengthMs * rate) / 1_000)}`,
  ].join(',');
}

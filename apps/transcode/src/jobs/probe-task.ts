/** Looks at an upload: what it is, how long it really is, and whether it can be decoded here. What cannot be is refused with a reason. */
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type ProbedFile, readPackets, runFfmpeg } from '@millrace/ffmpeg';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { ProbedFiles } from './probed-files.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

/** Executor of kind `probe`. */
export function createProbeTask(settings: EncoderSettings, files = new ProbedFiles()): TaskExecutor<'probe'> {
  return async (spec, context) => {
    const { store, scratch, signal, log } = context;
    const path = await fetchToScratch(store, spec.source, scratch, signal);
    if (!path.ok) return err(failureOfStore(path.error, 'reading the original'));
    const probed = await files.probe(path.value, { signal, log });
    if (!probed.ok) {
      if (probed.error.kind !== 'failed') return err(failureOfRun(probed.error, 'reading the file'));
      const reason = `expected a video or audio file (MP4, MOV, WebM, Matroska, MPEG-TS, AVI...), got one that cannot be read: ${probed.error.reason}`;
      return err(refusal('bad-media', reason));
    }
    const refused = beyondLimits(probed.value, spec.limits);
    if (refused !== undefined) return err(refused);

    const survey = new PacketSurvey(probed.value);
    const abort = new AbortController();
    const expectedMs = Math.max(1, probed.value.durationMs ?? spec.limits.max_duration_ms);
    const onPacket = (packet: Parameters<PacketSurvey['take']>[0]) => {
      survey.take(packet);
      context.report(Math.min(0.8, (0.8 * survey.endMs) / expectedMs));
      if (survey.endMs > spec.limits.max_duration_ms) abort.abort(new Error('over the limit'));
    };
    try {
      const both = AbortSignal.any([signal, abort.signal]);
      const read = await readPackets(path.value, onPacket, { signal: both, log });
      if (!read.ok) return err(failureOfRun(read.error, 'reading the file'));
    } catch (error) {
      signal.throwIfAborted();
      if (!abort.signal.aborted) throw error;
      return err(tooLong(undefined, spec.limits.max_duration_ms));
    }
    const media = mediaFactsOf(probed.value, survey);
    if (media.duration_ms <= 0) return err(refusal('bad-media', 'expected a file with media in it, got none'));
    const decodable = await decodeBeginning(path.value, probed.value, settings, context);
    if (!decodable.ok) return decodable;
    context.report(1);
    return ok({ kind: 'probe', media, keyframes_ms: [...survey.keyframesMs] });
  };
}

function beyondLimits(file: ProbedFile, limits: SpecOf<'probe'>['limits']): TaskFailure | undefined {
  const { video, audio, durationMs } = file;
  if (video === undefined && audio === undefined) {
    return refusal('bad-media', 'expected a file with video or audio, got one with neither');
  }
  if (durationMs !== undefined && durationMs > limits.max_duration_ms)
    return tooLong(durationMs, limits.max_duration_ms);
  for (const track of [video, audio]) {
    if (track?.codec !== 'unknown') continue;
    return refusal(
      'unsupported-codec',
      `expected codecs that are known here, got an unknown one for ${track === video ? 'video' : 'audio'}`,
    );
  }
  if (video === undefined) return undefined;
  const { codedWidth: width, codedHeight: height } = video;
  if (width < 2 || height < 2) {
    return refusal('bad-media', `expected a picture of at least 2x2 pixels, got ${width}x${height}`);
  }
  if (width * height > limits.max_pixels) {
    return refusal('too-large', `expected a picture of at most ${limits.max_pixels} pixels, got ${width}x${height}`);
  }
  if (video.averageRate > limits.max_frames_per_second) {
    const rate = Math.round(video.averageRate);
    return refusal('too-fast', `expected at most ${limits.max_frames_per_second} frames/s, got ${rate}`);
  }
  return undefined;
}

/** Without a duration: reading stopped at the limit. */
function tooLong(durationMs: number | undefined, limitMs: number): TaskFailure {
  const got = durationMs === undefined ? 'more' : `${Math.round(durationMs / 1_000)} s`;
  return refusal('too-long', `expected at most ${Math.round(limitMs / 1_000)} s, got ${got}`);
}

/** The first pictures and sounds: a codec that this ffmpeg does not have shows now and not in the middle of the ladder. */
async function decodeBeginning(
  path: string,
  { video, audio }: ProbedFile,
  { threads, niceness }: EncoderSettings,
  { signal, log }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const first = [
    ...(video === undefined ? [] : ['-map', `0:${video.index}`, '-frames:v', '1']),
    ...(audio === undefined ? [] : ['-map', `0:${audio.index}`, '-frames:a', '1']),
  ];
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path }],
    args: [...first, '-f', 'null', '-'],
    signal,
    log,
    limits: { threads, niceness, totalMs: 60_000 },
  });
  if (run.ok) return ok();
  const codecs = [video, audio].flatMap((track) => (track === undefined ? [] : [track.codec])).join(' and ');
  const failure = failureOfRun(run.error, `decoding ${codecs}`);
  return err(failure.code === 'bad-media' ? { ...failure, code: 'unsupported-codec' } : failure);
}

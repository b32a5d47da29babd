/** Joins the inputs of a composition into one MP4 and an HLS rendition of it. Everything is put together on scratch first. */
import { join } from 'node:path';
import type { ResultOf, Rung, SpecOf, TaskFailure } from '@millrace/api';
import { probeFile, runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { joinTimescale } from '../core/join-encoder.ts';
import type { JoinPlan } from '../core/join-plan.ts';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { type EncodedTrack, encodeTrack, fragmentedOutput } from './encode-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinFiles } from './join-files.ts';
import { joinPictures } from './join-pictures.ts';
import { joinSound } from './join-sound.ts';
import { KeptParts } from './kept-parts.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

/** Parts of the whole by the time they take. */
const parts = { read: 0.1, pictures: 0.5, sound: 0.2, file: 0.1, segments: 0.1 } as const;
/** Segments are no shorter than this where keyframes are closer, microseconds. */
const shortestSegmentUs = '2000000';

/** What cannot be kept is encoded in one go. */
const wholeMs = Number.MAX_SAFE_INTEGER;

/** Executor of kind `join`. What it encodes is kept as it goes, what `sound` tasks encoded is taken: only copying is done again. */
export function createJoinTask(settings: EncoderSettings, files: JoinFiles): TaskExecutor<'join'> {
  return async (spec, context) => {
    const { scratch, store } = context;
    const opened = await files.openAll(spec, context, (done) => context.report(parts.read * done));
    if (!opened.ok) return opened;
    const { sources, plan } = opened.value;
    const { transition, target } = spec;

    const progress = new SharedProgress(context.report);
    const kept = await KeptParts.open(spec.keep?.work, context);
    const shared = { sources, plan, transition, target, settings, kept };
    const [pictures, sound, file] = ['pictures.mp4', 'sound.mp4', 'joined.mp4'].map((name) => join(scratch, name));
    if (pictures === undefined || sound === undefined || file === undefined) throw new Error('expected three names');
    const gainsDb = spec.inputs.map((input) => input.gain_db);
    const spanMs = spec.keep?.span_ms ?? wholeMs;
    progress.add(parts.read)(1);
    const [shown, heard] = await both(
      joinPictures(pictures, { ...shared, onProgress: progress.add(parts.pictures) }, context),
      joinSound(sound, { ...shared, gainsDb, spanMs, onProgress: progress.add(parts.sound) }, context),
    );
    if (!shown.ok) return shown;
    if (!heard.ok) return heard;
    context.log.info('joined', { pieces: plan.pieces.length, encoded_ms: Math.round(shown.value), sound: heard.value });

    const tracks = { plan, pictures, sound: heard.value === 'none' ? undefined : sound, settings };
    const [muxed, rendition] = await both(
      mux(spec, tracks, file, progress.add(parts.file), context),
      segment(spec, tracks, progress.add(parts.segments), context),
    );
    if (!muxed.ok) return muxed;
    if (!rendition.ok) return rendition;
    const stored = await store.putFile(spec.output, file);
    if (!stored.ok) return err(failureOfStore(stored.error, 'storing the joined video'));
    const probed = await probeFile(file, context);
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading the joined video'));
    const facts = mediaFactsOf(probed.value, new PacketSurvey(probed.value));
    return ok({
      kind: 'join',
      media: { ...facts, duration_ms: Math.round(plan.lengthMs) },
      method: shown.value === 0 ? 'copy' : 'encode',
      encoded_ms: shown.value,
      bytes: stored.value.size,
      rendition: rendition.value,
    });
  };
}

/** The tracks on scratch. */
interface JoinedTracks {
  readonly plan: JoinPlan;
  readonly pictures: string;
  readonly sound: string | undefined;
  readonly settings: EncoderSettings;
}

/** Both at once; when one rejects, only after the other has ended too, so that nothing runs on. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** Progress of parts that are at work side by side, each with its share of the whole. */
class SharedProgress {
  readonly #report: (done: number) => void;
  readonly #done: number[] = [];

  constructor(report: (done: number) => void) {
    this.#report = report;
  }

  /** Takes how much of a part is done, 0..1. */
  add(share: number): (done: number) => void {
    const at = this.#done.push(0) - 1;
    return (done) => {
      this.#done[at] = Math.max(this.#done[at] ?? 0, share * Math.min(1, done));
      this.#report(this.#done.reduce((sum, one) => sum + one, 0));
    };
  }
}

/** The progressive MP4, playable from its first bytes on. */
async function mux(
  { target }: SpecOf<'join'>,
  { plan, pictures, sound, settings: { threads, niceness } }: JoinedTracks,
  path: string,
  onProgress: (done: number) => void,
  { signal, log }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const run = await runFfmpeg({
    inputs: [pictures, sound].flatMap((one) => (one === undefined ? [] : [{ kind: 'file' as const, path: one }])),
    args: [
      ...['-map', '0:v', ...(sound === undefined ? [] : ['-map', '1:a']), '-c', 'copy', '-movflags', '+faststart'],
      ...['-video_track_timescale', String(joinTimescale(target)), '-f', 'mp4', path],
    ],
    onProgress: (outTimeMs) => onProgress(outTimeMs / plan.lengthMs),
    ...{ signal, log, limits: { threads, niceness } },
  });
  return run.ok ? ok() : err(failureOfRun(run.error, 'writing the joined video'));
}

/** The same tracks in segments. */
async function segment(
  { target, asset }: SpecOf<'join'>,
  { plan, pictures, sound, settings: { threads, niceness } }: JoinedTracks,
  onProgress: (done: number) => void,
  context: TaskContext,
): Promise<Result<ResultOf<'join'>['rendition'], TaskFailure>> {
  const { width, height, frames_per_second } = target;
  const name = `${Math.min(width, height)}p`;
  const track = (path: string, folder: string, args: readonly string[], doing: string, from: number) =>
    encodeTrack(
      {
        inputs: [{ kind: 'file', path }],
        args: ['-map', '0:0', '-c', 'copy', '-map_metadata', '-1', ...args, ...fragmentedOutput],
        ...{ asset, folder, doing, limits: { threads, niceness } },
        onProgress: (outTimeMs) => onProgress(from + outTimeMs / plan.lengthMs / 2),
      },
      context,
    );
  const cut = ['-video_track_timescale', String(joinTimescale(target)), '-min_frag_duration', shortestSegmentUs];
  const shown = await track(pictures, `video-${name}`, cut, 'cutting the pictures', 0);
  if (!shown.ok) return shown;
  const heard =
    sound === undefined
      ? ok<EncodedTrack | undefined>(undefined)
      : await track(sound, 'audio', ['-frag_duration', '4000000'], 'cutting the sound', 0.5);
  if (!heard.ok) return heard;
  if (shown.value === undefined) return err(refusal('bad-media', 'expected joined pictures, got none'));
  const rung: Rung = { name, width, height, frames_per_second, ...bitRates(shown.value) };
  return ok({ rung, video: shown.value.track, audio: heard.value?.track ?? null });
}

function bitRates({ track }: EncodedTrack): Pick<Rung, 'bits_per_second' | 'max_bits_per_second'> {
  const bytes = track.segments.reduce((sum, one) => sum + one.bytes, 0);
  const lengthMs = track.segments.reduce((sum, one) => sum + one.duration_ms, 0);
  const peaks = track.segments.map((one) => (one.bytes * 8_000) / Math.max(1, one.duration_ms));
  return {
    bits_per_second: Math.round((bytes * 8_000) / Math.max(1, lengthMs)),
    max_bits_per_second: Math.round(Math.max(...peaks)),
  };
}

/** What `inspect`, `normalise` and `join` have to know of a file before they cut it. */
import { createHash } from 'node:crypto';
import type { MediaFacts, TaskFailure } from '@millrace/api';
import { type ProbedFile, type ProbedVideo, probeFile, readPackets, runFfmpeg } from '@millrace/ffmpeg';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { type AvcConfig, readAvcConfig } from '../core/avc-config.ts';
import { type FramePacket, FrameTable } from '../core/frame-table.ts';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import { type AacPackets, isSteady } from '../core/sound-plan.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { TrackStream } from '../core/track-stream.ts';
import { fragmentedOutput } from './encode-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

export interface JoinSource {
  readonly path: string;
  readonly file: ProbedFile;
  readonly video: ProbedVideo;
  readonly media: MediaFacts;
  /** Times are ms from the start of the file. */
  readonly table: FrameTable;
  /** Its sound, if it can be copied. */
  readonly aac: AacPackets | undefined;
  /** Its sound can be entered anywhere, to the sample. */
  readonly seekable: boolean;
}

/** Opens a file of the store and reads when each of its packets is shown. */
export async function openJoinSource(key: string, context: TaskContext): Promise<Result<JoinSource, TaskFailure>> {
  const { store, scratch, signal, log } = context;
  const fetched = await fetchToScratch(store, key, scratch, signal);
  if (!fetched.ok) return err(failureOfStore(fetched.error, 'reading a video'));
  const path = fetched.value;
  const probed = await probeFile(path, { signal, log });
  if (!probed.ok) return err(failureOfRun(probed.error, 'reading a video'));
  const file = probed.value;
  const { video, audio } = file;
  if (video === undefined) return err(refusal('no-picture', 'expected a video with a picture, got one without'));
  const survey = new PacketSurvey(file);
  const pictures: FramePacket[] = [];
  const sounds: number[] = [];
  let untimed = false;
  const read = await readPackets(
    path,
    (packet) => {
      survey.take(packet);
      const { index, ptsMs, durationMs, keyframe } = packet;
      if (index === video.index) {
        if (ptsMs === undefined) untimed = true;
        else pictures.push({ ptsMs: ptsMs - file.startMs, durationMs, keyframe });
      } else if (index === audio?.index && ptsMs !== undefined) sounds.push(ptsMs - file.startMs);
    },
    { signal, log },
  );
  if (!read.ok) return err(failureOfRun(read.error, 'reading a video'));
  const table = untimed ? undefined : FrameTable.of(pictures);
  if (table === undefined) {
    return err(refusal('bad-media', 'expected pictures that are each shown at a time of their own, got others'));
  }
  const lowComplexity = audio !== undefined && audio.codec === 'aac' && audio.profile === 'LC' && audio.channels <= 2;
  const aac = lowComplexity
    ? { stream: audio.index, rate: audio.sampleRate, channels: audio.channels, timesMs: sounds }
    : undefined;
  const seekable = file.format === movFormat && aac !== undefined && isSteady(aac, 0, sounds.length, 0.1);
  return ok({ path, file, video, media: mediaFactsOf(file, survey), table, aac, seekable });
}

const movFormat = 'mov,mp4,m4a,3gp,3g2,mj2';

/** Containers with an index, where a seek lands on the keyframe that was asked for. */
const indexed: ReadonlySet<string> = new Set([movFormat, 'matroska,webm']);
const profiles: ReadonlySet<string | undefined> = new Set(['High', 'Main', 'Constrained Baseline', 'Baseline']);
/** Pictures without a keyframe among them for longer than this make no segments, ms. */
const longestGopMs = 20_000;

/** Whether `-ss` finds its place in the file. */
export function isIndexed({ file }: Pick<JoinSource, 'file'>): boolean {
  return indexed.has(file.format);
}

/** Decoding begins with the picture at `fromMs`; a little early, so that rounding does not lose it. */
export function seekTo(fromMs: number): readonly string[] {
  return fromMs < 1 ? [] : ['-ss', ((fromMs - 0.5) / 1_000).toFixed(6)];
}

/** Whether its pictures can be copied into a track with those of others. */
export function isJoinable(source: JoinSource): boolean {
  const { video, table } = source;
  return (
    video.codec === 'h264' &&
    profiles.has(video.profile) &&
    video.pixelFormat === 'yuv420p' &&
    video.rotation === 0 &&
    video.codedWidth === video.width &&
    video.codedHeight === video.height &&
    (video.fieldOrder === undefined || video.fieldOrder === 'progressive') &&
    isIndexed(source) &&
    table.canStart(0) &&
    table.timeAt(0) > -1 &&
    table.longestGopMs <= longestGopMs
  );
}

/** Parameter sets of the pictures; undefined: they are not H.264 as MP4 holds it. */
export async function readParameterSets(
  { path, video }: Pick<JoinSource, 'path' | 'video'>,
  settings: EncoderSettings,
  { signal, log }: Pick<TaskContext, 'signal' | 'log'>,
): Promise<Result<AvcConfig | undefined, TaskFailure>> {
  const stream = new TrackStream();
  let config: AvcConfig | undefined;
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path, options: ['-an', '-sn', '-dn'] }],
    args: ['-map', `0:${video.index}`, '-c', 'copy', '-frames:v', '1', ...fragmentedOutput],
    onOutput: async (bytes) => {
      for await (const piece of bytes) {
        const pieces = stream.feed(piece);
        for (const one of pieces.ok ? pieces.value : []) {
          if (one.kind === 'init' && one.section.avcConfig !== undefined) config = readAvcConfig(one.section.avcConfig);
        }
      }
    },
    ...{ signal, log, limits: { threads: settings.threads, niceness: settings.niceness } },
  });
  return run.ok ? ok(config) : err(failureOfRun(run.error, 'reading the pictures of a video'));
}

/** Equal for inputs whose pictures can follow each other in one track without being encoded. */
export function fingerprintOf({ media: { video } }: Pick<JoinSource, 'media'>, config: AvcConfig | undefined): string {
  const sets =
    config === undefined ? [] : [...config.sps, ...config.pps].map((set) => Buffer.from(set).toString('hex'));
  const facts = [video?.codec, video?.profile, video?.width, video?.height, video?.frames_per_second.toFixed(3), sets];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

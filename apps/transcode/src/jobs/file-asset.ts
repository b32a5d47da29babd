/** Makes one finished MP4 an asset that plays: its tracks in segments by copy, playlists over them, a poster, and the file itself. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MediaFacts, Rung, TaskFailure, TaskResult } from '@millrace/api';
import { type ProbedFile, probeFile, readPackets, runFfmpeg } from '@millrace/ffmpeg';
import { frameRateOf, timescaleOf } from '@millrace/ladder';
import { err, ok, type Result } from '@millrace/result';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { encodeTrack, fragmentedOutput } from './encode-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { createPublishTask } from './publish-task.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

export interface FileAsset {
  /** On scratch: H.264 with closed groups of pictures, AAC or nothing. The store's afterwards. */
  readonly path: string;
  readonly asset: string;
  /** Key of the file itself. */
  readonly output: string;
  readonly settings: Pick<EncoderSettings, 'threads' | 'niceness'>;
}

export interface KeptFile {
  readonly media: MediaFacts;
  /** Relative to the asset. */
  readonly poster: string;
  /** Of the asset and the file. */
  readonly bytes: number;
}

const audioSegmentMs = 4_000;
const posterFile = 'poster.jpg';

/** Keeps the file and everything that is made of it; repeating it writes the same objects. */
export async function keepFileAsset(file: FileAsset, context: TaskContext): Promise<Result<KeptFile, TaskFailure>> {
  const { path, asset, output } = file;
  const { signal, log, store } = context;
  const probed = await probeFile(path, { signal, log });
  if (!probed.ok) return err(failureOfRun(probed.error, 'reading what was encoded'));
  const survey = new PacketSurvey(probed.value);
  const read = await readPackets(path, (packet) => survey.take(packet), { signal, log });
  if (!read.ok) return err(failureOfRun(read.error, 'reading what was encoded'));
  const media = mediaFactsOf(probed.value, survey);
  const rung = rungOf(media);
  if (rung === undefined) return err(refusal('bad-media', 'expected pictures in the video, none were encoded'));

  const tracks = await cutTracks(file, probed.value, rung, context);
  if (!tracks.ok) return tracks;
  const poster = await makePoster(file, media, context);
  if (!poster.ok) return poster;
  const { size } = await stat(path);
  const published = await createPublishTask()(
    { kind: 'publish', asset, duration_ms: media.duration_ms, final: true },
    { ...context, inputs: tracks.value, report: () => {} },
  );
  if (!published.ok) return published;
  const kept = await store.putFile(output, path);
  if (!kept.ok) return err(failureOfStore(kept.error, 'storing the video'));
  return ok({ media, poster: posterFile, bytes: published.value.bytes + size });
}

function rungOf({ video, size_bytes, duration_ms }: MediaFacts): Rung | undefined {
  if (video === null) return undefined;
  const { width, height, frames_per_second } = video;
  const bits = Math.max(1, Math.round((size_bytes * 8_000) / Math.max(1, duration_ms)));
  return { name: `${height}p`, width, height, frames_per_second, bits_per_second: bits, max_bits_per_second: bits };
}

/** The tracks as results of the tasks that playlists are made of. */
async function cutTracks(
  { path, asset, settings }: FileAsset,
  { video, audio }: ProbedFile,
  rung: Rung,
  context: TaskContext,
): Promise<Result<readonly TaskResult[], TaskFailure>> {
  const shared = { inputs: [{ kind: 'file' as const, path }], asset, limits: settings, onProgress: () => {} };
  const copy = (index: number) => ['-map', `0:${index}`, '-map_metadata', '-1', '-c', 'copy'];
  const results: TaskResult[] = [];
  if (video !== undefined) {
    const scale = ['-video_track_timescale', String(timescaleOf(frameRateOf(rung.frames_per_second)))];
    const args = [...copy(video.index), ...scale, ...fragmentedOutput];
    const folder = `video-${rung.name}`;
    const cut = await encodeTrack({ ...shared, args, folder, doing: 'cutting the pictures' }, context);
    if (!cut.ok) return cut;
    if (cut.value === undefined) return err(refusal('bad-media', 'expected pictures in the video, got none'));
    results.push({ kind: 'span', rung, span: 0, track: cut.value.track });
  }
  if (audio !== undefined) {
    const args = [...copy(audio.index), '-frag_duration', String(audioSegmentMs * 1_000), ...fragmentedOutput];
    const cut = await encodeTrack({ ...shared, args, folder: 'audio', doing: 'cutting the sound' }, context);
    if (!cut.ok) return cut;
    results.push({ kind: 'audio', track: cut.value?.track ?? null, speech: null });
  }
  return ok(results);
}

/** The picture in the middle. */
async function makePoster(
  { path, asset, settings }: FileAsset,
  { duration_ms }: MediaFacts,
  { scratch, signal, log, store }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const picture = join(scratch, 'poster.jpg');
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path, options: ['-ss', (duration_ms / 2_000).toFixed(3), '-an'] }],
    args: ['-frames:v', '1', '-q:v', '3', '-f', 'mjpeg', picture],
    limits: settings,
    signal,
    log,
  });
  if (!run.ok) return err(failureOfRun(run.error, 'making the poster'));
  const kept = await store.put(`${asset}/${posterFile}`, [await readFile(picture)]);
  return kept.ok ? ok() : err(failureOfStore(kept.error, 'storing the poster'));
}

/**
 * Audio of the whole file in one go, so that it has no seams, and what speech recognition listens to. Both are exactly as long as the
 * video and begin with it: what the file lacks at its start, in gaps and at its end is silence.
 */
import { join } from 'node:path';
import type { StoredTrack } from '@millrace/api';
import { runFfmpeg } from '@millrace/ffmpeg';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok } from '@millrace/result';
import { originMs } from '../core/media-facts.ts';
import type { TaskExecutor } from '../core/task-executor.ts';
import { encodeTrack, fragmentedOutput } from './encode-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { ProbedFiles } from './probed-files.ts';
import { failureOfRun, failureOfStore } from './task-failures.ts';

const sampleRate = 48_000;
/** What pocketsphinx and whisper listen to. */
const speechRate = 16_000;
/** The encoder puts so many samples in front; without them at the start of the source, what is heard is neither early nor late. */
const primingSamples = 1_024;
const segmentMs = 4_000;

/** Executor of kind `audio`. */
export function createAudioTask(settings: EncoderSettings, files = new ProbedFiles()): TaskExecutor<'audio'> {
  return async (spec, context) => {
    const { store, scratch, signal, log } = context;
    const path = await fetchToScratch(store, spec.source, scratch, signal);
    if (!path.ok) return err(failureOfStore(path.error, 'reading the original'));
    const probed = await files.probe(path.value, { signal, log });
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading the file'));
    const { audio } = probed.value;
    if (audio === undefined) return ok({ kind: 'audio', track: null, speech: null });

    const { threads, niceness } = settings;
    const leadMs = originMs(probed.value) - probed.value.startMs;
    const wav = join(scratch, 'speech.wav');
    const inputs = [{ kind: 'file' as const, path: path.value, options: ['-vn', '-sn', '-dn'] }];
    const map = ['-map', `0:${audio.index}`, '-map_metadata', '-1'];
    const speechArgs = [
      ...map,
      '-af',
      even(speechRate, leadMs, spec.duration_ms),
      '-ac',
      '1',
      '-c:a',
      'pcm_s16le',
      '-f',
      'wav',
      wav,
    ];
    const onProgress = (outTimeMs: number) => context.report(outTimeMs / spec.duration_ms);
    const shared = { inputs, onProgress, limits: { threads, niceness } };

    let track: StoredTrack | null = null;
    if (spec.asset !== null) {
      const filter = `${even(sampleRate, leadMs, spec.duration_ms)},atrim=start_sample=${primingSamples},asetpts=N/SR/TB+${primingSamples}/SR/TB`;
      const coding = ['-af', filter, '-ac', '2', '-c:a', 'aac', '-b:a', String(settings.audioBitsPerSecond)];
      const args = [
        ...(spec.speech === null ? [] : speechArgs),
        ...[...map, ...coding, '-frag_duration', String(segmentMs * 1_000), ...fragmentedOutput],
      ];
      const encoded = await encodeTrack(
        { ...shared, args, asset: spec.asset, folder: 'audio', doing: 'encoding the audio' },
        context,
      );
      if (!encoded.ok) return encoded;
      track = encoded.value?.track ?? null;
    } else if (spec.speech !== null) {
      const run = await runFfmpeg({ ...shared, args: speechArgs, signal, log });
      if (!run.ok) return err(failureOfRun(run.error, 'reading the audio'));
    }
    if (spec.speech === null) return ok({ kind: 'audio', track, speech: null });
    const kept = await store.putFile(spec.speech, wav);
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing what is listened to'));
    return ok({ kind: 'audio', track, speech: spec.speech });
  };
}

/**
 * Filter to one rate and exactly the video's length from its origin, `leadMs` into the file: gaps filled, drift evened out, the end
 * padded or cut.
 */
function even(rate: number, leadMs: number, durationMs: number): string {
  const resample = `aresample=${rate}:async=1:min_hard_comp=0.1:first_pts=0`;
  const lead = leadMs > 0 ? `,atrim=start=${(leadMs / 1_000).toFixed(6)},asetpts=N/SR/TB` : '';
  return `${resample}${lead},apad,atrim=end=${(durationMs / 1_000).toFixed(3)}`;
}

/** Speech to subtitles: WebVTT as a file to download and in segments for the HLS subtitles rendition. */
import type { ResultOf, StoredSegment, TaskFailure } from '@millrace/api';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { type NoiseReason, withoutNoise } from '../core/speech-noise.ts';
import type { SpeechRecogniser } from '../core/speech-recogniser.ts';
import { cuesOf } from '../core/subtitle-cues.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { renderWebVtt, segmentWebVtt } from '../core/webvtt.ts';
import { failureOfStore } from './task-failures.ts';

/** A multiple of the media's segments, so that few files hold few words. */
const segmentMs = 24_000;
/** Recognition is nearly all of the work. */
const heardShare = 0.97;

/** Executor of kind `subtitles`. `onNoise` counts what the recogniser said and nobody else. */
export function createSubtitlesTask(
  recogniser: SpeechRecogniser,
  onNoise: (reason: NoiseReason, count: number) => void,
): TaskExecutor<'subtitles'> {
  return async (spec, context) => {
    const { store, scratch, signal, log } = context;
    const path = await fetchToScratch(store, spec.speech, scratch, signal);
    if (!path.ok) return err(failureOfStore(path.error, 'reading the speech'));
    const heard = await recogniser.transcribe({
      ...{ path: path.value, durationMs: spec.duration_ms, language: spec.language, scratch, signal, log },
      onProgress: (done) => context.report(done * heardShare),
    });
    if (!heard.ok) return heard;
    if (heard.value.kind === 'cannot') return skipped(heard.value.reason);
    const { language } = heard.value;
    const { utterances, dropped } = withoutNoise(heard.value.utterances);
    for (const [reason, count] of dropped) onNoise(reason, count);
    if (dropped.size > 0) log.info('speech-noise-dropped', { kept: utterances.length, ...Object.fromEntries(dropped) });
    const cues = cuesOf(utterances, spec.duration_ms);
    if (cues.length === 0) return skipped('no speech was recognised');
    context.report(heardShare, 'writing the subtitles');

    const vtt = `subtitles-${language}.vtt`;
    const whole = await put(context, `${spec.asset}/${vtt}`, renderWebVtt(cues));
    if (!whole.ok) return whole;
    const segments: StoredSegment[] = [];
    for (const [i, { text, durationMs }] of segmentWebVtt(cues, spec.duration_ms, segmentMs).entries()) {
      const name = `subtitles-${language}/${i}.vtt`;
      const written = await put(context, `${spec.asset}/${name}`, text);
      if (!written.ok) return written;
      segments.push({ path: name, duration_ms: durationMs, bytes: written.value });
    }
    const words = cues.reduce((sum, { lines }) => sum + lines.join(' ').split(' ').length, 0);
    const outcome = { kind: 'written' as const, language, vtt, segments, cues: cues.length, words };
    return ok({ kind: 'subtitles', outcome: { ...outcome, engine: recogniser.name } });
  };
}

function skipped(reason: string): Result<ResultOf<'subtitles'>, TaskFailure> {
  return ok({ kind: 'subtitles', outcome: { kind: 'skipped', reason } });
}

async function put({ store, signal }: TaskContext, key: string, text: string): Promise<Result<number, TaskFailure>> {
  signal.throwIfAborted();
  const written = await store.put(key, [new TextEncoder().encode(text)]);
  return written.ok ? ok(written.value.size) : err(failureOfStore(written.error, 'storing the subtitles'));
}

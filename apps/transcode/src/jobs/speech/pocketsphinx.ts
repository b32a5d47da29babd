/**
 * Speech recognition on this machine: ffmpeg's `asr` filter with pocketsphinx models, as Debian's pocketsphinx-en-us brings them. It
 * is modest beside a large model and needs neither a network nor a graphics card.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { SpeechLog } from '../../core/speech-log.ts';
import { primaryLanguage, type SpeechRecogniser } from '../../core/speech-recogniser.ts';
import { failureOfRun } from '../task-failures.ts';
import { linesOf } from './line-stream.ts';

export interface PocketsphinxOptions {
  /** Folder with a folder for each model: `/usr/share/pocketsphinx/model`. */
  readonly modelsDir: string;
  /** What is spoken when a video does not say. */
  readonly defaultLanguage: string;
  readonly niceness: number;
}

interface Model {
  readonly name: string;
  readonly hmm: string;
  readonly dict: string;
  readonly lm: string;
}

/** Silence longer than this, ms, may part two utterances. */
const pauseMs = 300;
/** Text comes only after a pause, so the end is one. */
const endPauseMs = 1_500;

export function createPocketsphinx(options: PocketsphinxOptions): SpeechRecogniser {
  return {
    name: 'pocketsphinx',
    async transcribe({ path, durationMs, language, signal, onProgress, log }) {
      const spoken = language ?? options.defaultLanguage;
      const model = await findModel(options.modelsDir, primaryLanguage(spoken));
      if (!model.ok) return ok({ kind: 'cannot', reason: model.error });
      const speech = new SpeechLog();
      const run = await runFfmpeg({
        inputs: [{ kind: 'file', path, formats: ['wav'] }],
        args: ['-map', '0:a:0', '-af', filters(model.value), '-f', 'null', '-'],
        signal,
        log,
        limits: { niceness: options.niceness },
        onProgress: (outTimeMs) => onProgress(Math.min(1, outTimeMs / Math.max(durationMs, 1))),
        onOutput: async (bytes) => {
          for await (const line of linesOf(bytes)) speech.read(line);
        },
      });
      if (run.ok) return ok({ kind: 'heard', language: spoken, utterances: speech.utterances });
      if (run.error.kind === 'failed' && /no such filter: '?asr/i.test(run.error.reason)) {
        const reason =
          'this ffmpeg was built without its asr filter: use one with pocketsphinx, or set TRANSCODE_ASR_URL';
        return ok({ kind: 'cannot', reason });
      }
      return err(failureOfRun(run.error, 'recognising speech'));
    },
  };
}

function filters({ hmm, dict, lm }: Model): string {
  const silences = `silencedetect=noise=-40dB:duration=${pauseMs / 1_000}`;
  const recognition = `asr=rate=16000:hmm=${hmm}:dict=${dict}:lm=${lm}`;
  // The models were made from speech with headroom; full-scale input costs words.
  const level = 'volume=-6dB';
  return `apad=pad_dur=${endPauseMs / 1_000},${level},${silences},${recognition},ametadata=mode=print:direct=1:file=-`;
}

/** The model whose name begins with the language: `en-us` for `en`. The error is the reason for the user. */
async function findModel(modelsDir: string, language: string): Promise<Result<Model, string>> {
  const names = await readdir(modelsDir).catch(() => []);
  const name = names.sort().find((one) => one === language || one.startsWith(`${language}-`));
  const none = `no speech model for "${language}" in ${modelsDir}`;
  const hint =
    language === 'en'
      ? ': install Debian’s pocketsphinx-en-us'
      : ': set TRANSCODE_ASR_URL to a recogniser that knows it';
  if (name === undefined) return err(none + hint);
  const folder = join(modelsDir, name);
  const files = await readdir(folder).catch(() => []);
  const dict = files.find((file) => file.endsWith('.dict'));
  const lm = files.find((file) => file.endsWith('.lm.bin') && !file.includes('phone'));
  const acoustic = await stat(join(folder, name, 'mdef')).catch(() => undefined);
  if (dict === undefined || lm === undefined || acoustic === undefined) {
    return err(`${none}: expected a .dict, a .lm.bin and ${name}/mdef in ${folder}`);
  }
  const model = { name, hmm: join(folder, name), dict: join(folder, dict), lm: join(folder, lm) };
  // They stand in a filter graph, where these characters mean something.
  const odd = [model.hmm, model.dict, model.lm].find((path) => !/^[A-Za-z0-9/_.+-]+$/.test(path));
  if (odd !== undefined) return err(`expected a path of letters, digits and "/_.+-" for the speech model, got ${odd}`);
  return ok(model);
}

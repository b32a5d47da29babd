/**
 * The port to speech recognition: mono 16 kHz WAV in, what was said and when out. Three adapters: ffmpeg's `asr` filter with
 * pocketsphinx models on this machine, an OpenAI-compatible transcription endpoint, and whisper.cpp's server.
 */
import type { TaskFailure } from '@millrace/api';
import type { Logger } from '@millrace/log';
import type { Result } from '@millrace/result';
import type { HeardUtterance } from './speech-noise.ts';

export interface SpeechInput {
  /** Absolute path of the WAV. */
  readonly path: string;
  readonly durationMs: number;
  /** BCP 47; null: the recogniser's own guess. */
  readonly language: string | null;
  /** Private folder for what it writes. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  /** How much of the audio was heard, 0..1. */
  readonly onProgress: (done: number) => void;
  readonly log: Logger;
}

export type Transcription =
  | {
      readonly kind: 'heard';
      /** BCP 47. */
      readonly language: string;
      /** All that it says was said, with its doubts where it has any. */
      readonly utterances: readonly HeardUtterance[];
    }
  /** It cannot do this one, and nobody is to blame: no model for the language... The step is skipped with this reason. */
  | { readonly kind: 'cannot'; readonly reason: string };

export interface SpeechRecogniser {
  /** Shown with the subtitles: `pocketsphinx`, `whisper-1`. */
  readonly name: string;
  /** Rejects only with the signal's reason. */
  transcribe(input: SpeechInput): Promise<Result<Transcription, TaskFailure>>;
}

/** The language's own tag without region and script: `en` of `en-US`. */
export function primaryLanguage(tag: string): string {
  return (tag.split('-')[0] ?? tag).toLowerCase();
}

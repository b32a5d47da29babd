/**
 * What ffmpeg's `silencedetect` and `asr` filters print by `ametadata`, as utterances. The recogniser says a text about half a second
 * after the speech has ended and not when that began; the silences tell.
 */
import type { Utterance } from './subtitle-cues.ts';

/** How long pocketsphinx waits before it takes a pause for the end of an utterance, ms. */
const endpointMs = 500;

/** Reads the print line by line, as it comes. */
export class SpeechLog {
  readonly #utterances: Utterance[] = [];
  /** Beginnings and ends of speech that no text was said for yet. */
  #speech: { startMs: number; endMs: number | undefined }[] = [{ startMs: 0, endMs: undefined }];
  #atMs = 0;

  /** One line, without its end. Lines that it does not know are none of its business. */
  read(line: string): void {
    const frame = /^frame:\d+\s+pts:\S+\s+pts_time:(\d+(?:\.\d+)?)/.exec(line);
    if (frame) this.#atMs = Number(frame[1]) * 1_000;
    const pair = /^lavfi\.(silence_start|silence_end|asr\.text)=(.*)$/.exec(line);
    const value = pair?.[2] ?? '';
    if (pair?.[1] === 'silence_start') this.#silenceBegins(Number(value) * 1_000);
    if (pair?.[1] === 'silence_end') this.#speech.push({ startMs: Number(value) * 1_000, endMs: undefined });
    if (pair?.[1] === 'asr.text') this.#said(value.trim());
  }

  /** All that was said so far, in order. */
  get utterances(): readonly Utterance[] {
    return this.#utterances;
  }

  #silenceBegins(atMs: number): void {
    const last = this.#speech.at(-1);
    if (last === undefined) return;
    if (atMs <= last.startMs) this.#speech.pop();
    else last.endMs ??= atMs;
  }

  #said(text: string): void {
    const untilMs = Math.max(this.#atMs - endpointMs, 0);
    const before = this.#speech.filter(({ startMs }) => startMs < untilMs);
    const previous = this.#utterances.at(-1)?.endMs ?? 0;
    const startMs = Math.max(before[0]?.startMs ?? previous, previous);
    const endMs = Math.max(before.at(-1)?.endMs ?? untilMs, startMs);
    const open = this.#speech.filter(({ startMs: start, endMs: end }) => start >= untilMs || end === undefined);
    // speech that goes on belongs to the next text from here on
    this.#speech = open.map((stretch) => ({
      ...stretch,
      startMs: Math.max(stretch.startMs, Math.min(endMs, untilMs)),
    }));
    if (text !== '') this.#utterances.push({ startMs, endMs, text });
  }
}

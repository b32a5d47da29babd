/**
 * Speech recognition elsewhere: an OpenAI-compatible `POST .../audio/transcriptions` (OpenAI, faster-whisper-server, vLLM, LocalAI) or
 * whisper.cpp's server (`POST /inference`). Both take multipart WAV and answer `verbose_json` with timed segments. Long audio goes in
 * pieces of ten minutes, cut at pauses: services take 25 MB.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import type { TaskFailure } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import { z } from 'zod';
import { piecesOf } from '../../core/quiet-cut.ts';
import type { HeardUtterance } from '../../core/speech-noise.ts';
import { primaryLanguage, type SpeechRecogniser } from '../../core/speech-recogniser.ts';
import { readWavHead, writeWav } from '../../core/wav.ts';
import { languageTag } from '../../core/whisper-languages.ts';

export interface TranscriptionEndpointOptions {
  /** `https://api.openai.com/v1/audio/transcriptions`, `http://whisper:8080/inference`. */
  readonly url: string;
  /** Shown as a Bearer token. */
  readonly key: string | undefined;
  readonly model: string;
  /** Longest that one piece may take, ms. */
  readonly timeoutMs: number;
  /** Longest piece, s. */
  readonly pieceS?: number;
}

/** A server that does not say one of these says nothing or null. */
const doubt = z.number().nullish();
const segmentSchema = z.object({
  ...{ start: z.number(), end: z.number(), text: z.string() },
  ...{ compression_ratio: doubt, no_speech_prob: doubt, avg_logprob: doubt },
});
const answerSchema = z.object({ language: z.string().optional(), segments: z.array(segmentSchema).max(100_000) });
const mostAnswerBytes = 16 * 1024 * 1024;
/** Where within a piece a pause is looked for, s, and how long a moment is. */
const searchS = 20;
const momentS = 0.2;

export function createTranscriptionEndpoint(options: TranscriptionEndpointOptions): SpeechRecogniser {
  return {
    name: options.model,
    async transcribe({ path, language, signal, onProgress }) {
      await using file = await opened(path);
      const head = new Uint8Array(4_096);
      const { bytesRead } = await file.handle.read(head, 0, head.length, 0);
      const format = readWavHead(head.subarray(0, bytesRead));
      if (!format.ok) throw new Error(`${path}: ${format.error}`);
      const { sampleRate, dataStart } = format.value;
      const { size } = await file.handle.stat();
      const total = Math.max(0, Math.floor((size - dataStart) / 2));
      const read = (start: number, end: number) => samplesOf(file.handle, dataStart, start, end);
      const utterances: HeardUtterance[] = [];
      let spoken = language ?? undefined;
      let from = 0;
      while (from < total) {
        const end = await pieceEnd({ from, total, sampleRate, pieceS: options.pieceS ?? 600 }, read);
        const wav = writeWav(await read(from, end), sampleRate);
        const answer = await ask(options, wav, spoken, signal);
        if (!answer.ok) return answer;
        const offsetMs = (from / sampleRate) * 1_000;
        spoken ??= languageTag(answer.value.language);
        utterances.push(...answer.value.segments.map((segment) => utteranceOf(segment, offsetMs)));
        from = end;
        onProgress(from / total);
      }
      const heard = utterances.filter(({ text }) => text !== '');
      return ok({ kind: 'heard', language: spoken ?? 'und', utterances: heard });
    },
  };
}

function utteranceOf(segment: z.infer<typeof segmentSchema>, offsetMs: number): HeardUtterance {
  const text = segment.text.trim();
  return {
    ...{ startMs: offsetMs + segment.start * 1_000, endMs: offsetMs + segment.end * 1_000, text },
    doubts: {
      compressionRatio: segment.compression_ratio ?? compressionOf(text),
      noSpeechProbability: segment.no_speech_prob ?? undefined,
      meanLogProbability: segment.avg_logprob ?? undefined,
    },
  };
}

/** As Whisper reckons it, for servers that do not say it (whisper.cpp's). */
function compressionOf(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return bytes.length / deflateSync(bytes).length;
}

async function opened(path: string): Promise<{ readonly handle: FileHandle } & AsyncDisposable> {
  const handle = await open(path);
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

async function samplesOf(file: FileHandle, dataStart: number, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array((end - start) * 2);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, dataStart + start * 2);
  return bytes.subarray(0, bytesRead);
}

/** Where the piece that begins at `from` ends: at a pause near its longest length, or with the file. */
async function pieceEnd(
  { from, total, sampleRate, pieceS }: { from: number; total: number; sampleRate: number; pieceS: number },
  read: (start: number, end: number) => Promise<Uint8Array>,
): Promise<number> {
  const most = pieceS * sampleRate;
  if (total - from <= most) return total;
  const search = Math.min(searchS * sampleRate, Math.floor(most / 2));
  const tail = await read(from + most - search, from + most);
  const samples = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const loudness = (start: number, end: number) => {
    let sum = 0;
    for (let at = start - (most - search); at < end - (most - search) && at * 2 + 1 < tail.length; at++) {
      sum += samples.getInt16(at * 2, true) ** 2;
    }
    return sum;
  };
  const [first] = piecesOf(total - from, { most, search, window: Math.floor(momentS * sampleRate) }, loudness);
  return from + (first?.end ?? most);
}

async function ask(
  options: TranscriptionEndpointOptions,
  wav: Uint8Array,
  language: string | undefined,
  signal: AbortSignal,
): Promise<Result<z.infer<typeof answerSchema>, TaskFailure>> {
  const form = new FormData();
  form.set('file', new Blob([wav], { type: 'audio/wav' }), 'speech.wav');
  form.set('model', options.model);
  form.set('response_format', 'verbose_json');
  form.set('timestamp_granularities[]', 'segment');
  form.set('temperature', '0');
  if (language !== undefined) form.set('language', primaryLanguage(language));
  const headers = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` };
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
  const host = new URL(options.url).host;
  try {
    // The setting is the operator's, so its redirects are not followed to places that it does not name.
    const response = await fetch(options.url, {
      method: 'POST',
      headers,
      body: form,
      signal: bounded,
      redirect: 'error',
    });
    const text = await boundedText(response);
    if (!response.ok) return err(refused(host, response.status, text));
    const answer = answerSchema.safeParse(JSON.parse(text));
    if (answer.success) return ok(answer.data);
    const reason = `${host} answered something else than verbose_json with segments: ${text.slice(0, 200)}`;
    return err({ code: 'recogniser-answer', reason, retryable: false });
  } catch (error) {
    signal.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    return err({
      code: 'recogniser-unavailable',
      reason: `the speech recogniser at ${host}: ${said}`,
      retryable: true,
    });
  }
}

/** 429 and 5xx may pass; a wrong key or a file that it does not take will not. */
function refused(host: string, status: number, text: string): TaskFailure {
  const reason = `the speech recogniser at ${host} answered ${status}: ${text.slice(0, 300)}`;
  return { code: 'recogniser-refused', reason, retryable: status === 429 || status === 408 || status >= 500 };
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.length > mostAnswerBytes) throw new Error(`its answer is longer than ${mostAnswerBytes} bytes`);
  }
  return text + decoder.decode();
}

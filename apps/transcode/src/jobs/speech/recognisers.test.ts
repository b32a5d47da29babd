/** The two kinds of recogniser against one contract: what is real runs for real, the endpoint is a server with the API's own answers. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@millrace/log';
import { openFolderStore } from '@millrace/media-store';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SpeechInput, SpeechRecogniser } from '../../core/speech-recogniser.ts';
import { writeWav } from '../../core/wav.ts';
import { createSubtitlesTask } from '../subtitles-task.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import { createTranscriptionEndpoint } from './transcription-endpoint.ts';

const run = promisify(execFile);
const modelsDir = '/usr/share/pocketsphinx/model';
const spoken =
  'Good morning and welcome to the meeting. Today we will talk about the weather. The sun is shining and the water is warm. Please open the window and close the door. Thank you very much for your time.';

let dir: string;
let wav: string;
let durationMs: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-speech-'));
  const raw = join(dir, 'raw.wav');
  await run('espeak-ng', ['-v', 'en-us+f2', '-s', '130', '-p', '50', '-g', '4', '-w', raw, spoken]);
  wav = join(dir, 'speech.wav');
  const toSpeech = ['-ac', '1', '-ar', '16000', '-c:a', 'pcm_s16le', wav];
  await run('ffmpeg', ['-v', 'error', '-i', raw, '-af', 'adelay=2000', ...toSpeech]);
  durationMs = Math.round(((await readFile(wav)).length - 78) / 32);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** 1 - word error rate: the words that had to be put in, taken out or changed, of all that were said. */
function wordAccuracy(said: string, heard: string): number {
  const words = (text: string) => text.toLowerCase().match(/[a-z']+/g) ?? [];
  const [from, to] = [words(said), words(heard)];
  let row = to.map((_, j) => j + 1);
  for (const [i, word] of from.entries()) {
    const next: number[] = [];
    for (const [j, other] of to.entries()) {
      const corner = j === 0 ? i : row[j - 1]!;
      const left = j === 0 ? i + 1 : next[j - 1]!;
      next.push(Math.min(corner + (word === other ? 0 : 1), left + 1, row[j]! + 1));
    }
    row = next;
  }
  return 1 - (row.at(-1) ?? from.length) / from.length;
}

function input(overrides: Partial<SpeechInput> = {}): SpeechInput {
  const signal = new AbortController().signal;
  return {
    ...{ path: wav, durationMs, language: 'en', scratch: dir, signal, log: silentLogger },
    onProgress: () => {},
    ...overrides,
  };
}

const pocketsphinx = (folder = modelsDir): SpeechRecogniser =>
  createPocketsphinx({ modelsDir: folder, defaultLanguage: 'en', niceness: 0 });

describe('pocketsphinx', () => {
  it('recognises more than 60 % of the words of synthesised speech, and when they were said', async () => {
    const heardShares: number[] = [];
    const heard = expectOk(
      await pocketsphinx().transcribe(input({ onProgress: (done) => heardShares.push(done) })),
      'speech',
    );
    if (heard.kind !== 'heard') throw new Error(heard.reason);
    const accuracy = wordAccuracy(spoken, heard.utterances.map(({ text }) => text).join(' '));
    process.stdout.write(`pocketsphinx on espeak-ng: ${Math.round(accuracy * 100)} % of the words\n`);
    expect(accuracy).toBeGreaterThan(0.6);
    expect(heard.language).toBe('en');
    // the speech begins two seconds in, and its sentences follow each other
    expect(heard.utterances[0]?.startMs).toBeGreaterThan(1_500);
    expect(heard.utterances[0]?.startMs).toBeLessThan(2_600);
    expect(heard.utterances.length).toBeGreaterThan(2);
    expect(heard.utterances.at(-1)?.endMs).toBeLessThanOrEqual(durationMs + 500);
    expect(heardShares.toSorted((a, b) => a - b)).toEqual(heardShares);
  });

  it('says why it cannot do a language without a model, and what to do', async () => {
    const german = expectOk(await pocketsphinx().transcribe(input({ language: 'de-AT' })), 'German');
    expect(german).toEqual({
      kind: 'cannot',
      reason: `no speech model for "de" in ${modelsDir}: set TRANSCODE_ASR_URL to a recogniser that knows it`,
    });
    const nowhere = expectOk(await pocketsphinx(join(dir, 'none')).transcribe(input()), 'no models');
    expect(nowhere).toMatchObject({ kind: 'cannot', reason: expect.stringContaining('pocketsphinx-en-us') });
  });

  it('stops at once when told to', async () => {
    const stop = new AbortController();
    const running = pocketsphinx().transcribe(input({ signal: stop.signal }));
    stop.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });
});

/** What the server is asked, and what it answers. */
interface Asked {
  readonly authorization: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly fileBytes: number;
}

async function serving(answer: (asked: Asked, n: number) => { status: number; body: string }) {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    void readForm(request).then((form) => {
      asked.push(form);
      const { status, body } = answer(form, asked.length - 1);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/audio/transcriptions`;
  return {
    asked,
    url,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function readForm(request: IncomingMessage): Promise<Asked> {
  const body: Buffer[] = [];
  for await (const bytes of request) body.push(bytes as Buffer);
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const form = await new Response(Buffer.concat(body), { headers }).formData();
  const fields: Record<string, string> = {};
  let fileBytes = 0;
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string') fields[name] = value;
    else fileBytes = value.size;
  }
  return { authorization: request.headers.authorization, fields, fileBytes };
}

const segments = (...texts: readonly string[]) =>
  JSON.stringify({
    language: 'german',
    segments: texts.map((text, i) => ({ start: i, end: i + 0.9, text: ` ${text}` })),
  });
const endpoint = (url: string, more: { pieceS?: number; timeoutMs?: number } = {}) =>
  createTranscriptionEndpoint({ url, key: 'sk-secret', model: 'whisper-1', timeoutMs: 10_000, ...more });

describe('a transcription endpoint', () => {
  it('is asked as the API wants it, and its segments are the utterances', async () => {
    await using server = await serving(() => ({ status: 200, body: segments('guten Morgen', 'willkommen') }));
    const heard = expectOk(await endpoint(server.url).transcribe(input({ language: null })), 'endpoint');
    expect(heard).toMatchObject({
      kind: 'heard',
      language: 'de',
      utterances: [
        { startMs: 0, endMs: 900, text: 'guten Morgen' },
        { startMs: 1_000, endMs: 1_900, text: 'willkommen' },
      ],
    });
    expect(server.asked[0]).toMatchObject({
      authorization: 'Bearer sk-secret',
      fields: { model: 'whisper-1', response_format: 'verbose_json', temperature: '0' },
    });
    expect(server.asked[0]?.fields).not.toHaveProperty('language');
  });

  it('gets long speech in pieces that together are all of it, each at its own time', async () => {
    await using server = await serving((_, n) => ({ status: 200, body: segments(`piece ${n}`) }));
    const pcm = new Uint8Array(16_000 * 2 * 25);
    const long = join(dir, 'long.wav');
    await writeFile(long, writeWav(pcm, 16_000));
    const shares: number[] = [];
    const given = input({ path: long, language: 'de-DE', onProgress: (done) => shares.push(done) });
    const heard = expectOk(await endpoint(server.url, { pieceS: 10 }).transcribe(given), 'pieces');
    expect(server.asked.length).toBeGreaterThanOrEqual(3);
    expect(server.asked.reduce((sum, { fileBytes }) => sum + fileBytes - 44, 0)).toBe(pcm.length);
    expect(server.asked.every(({ fields }) => fields['language'] === 'de')).toBe(true);
    expect(shares.at(-1)).toBe(1);
    if (heard.kind !== 'heard') throw new Error(heard.reason);
    expect(heard.utterances[1]?.startMs).toBeGreaterThan(4_000);
    expect(heard.language).toBe('de-DE');
  });

  it('tells what may pass from what will not, without the key', async () => {
    for (const [status, retryable] of [
      [401, false],
      [400, false],
      [429, true],
      [503, true],
    ] as const) {
      await using server = await serving(() => ({ status, body: '{"error":"no"}' }));
      const refused = await endpoint(server.url).transcribe(input());
      expect(refused).toMatchObject({ ok: false, error: { retryable, code: 'recogniser-refused' } });
      expect(JSON.stringify(refused)).not.toContain('sk-secret');
    }
    await using nonsense = await serving(() => ({ status: 200, body: '{"text":"no segments"}' }));
    expect(await endpoint(nonsense.url).transcribe(input())).toMatchObject({ error: { code: 'recogniser-answer' } });
    const gone = await endpoint('http://127.0.0.1:9/inference').transcribe(input());
    expect(gone).toMatchObject({ error: { code: 'recogniser-unavailable', retryable: true } });
  });
});

/** A segment as OpenAI and faster-whisper answer it, whisper.cpp without `compression_ratio`. */
const segment = (start: number, text: string, doubts: Record<string, number | null> = {}) => ({
  ...{ id: start, seek: start * 100, start, end: start + 1.8, text: ` ${text}`, tokens: [50364, 1044, 50464] },
  ...{ temperature: 0, avg_logprob: -0.286, compression_ratio: 1.236, no_speech_prob: 0.009 },
  ...doubts,
});
/** What models make of silence, hum and applause. */
const noise = [
  segment(10, 'Thanks for watching!', { avg_logprob: -1.21, no_speech_prob: 0.83 }),
  segment(20, 'ha '.repeat(40).trim(), { compression_ratio: 13.2, avg_logprob: -0.06 }),
  segment(22, 'ha '.repeat(40).trim(), { compression_ratio: null }),
  ...[30, 32, 34, 36, 38, 40].map((at) => segment(at, 'ご視聴ありがとうございました', { avg_logprob: -0.31 })),
];

describe('the subtitles task', () => {
  it('leaves out what a model of Whisper’s kind makes up, counts it, and skips where nothing else was said', async () => {
    const store = await openFolderStore({ folder: join(dir, 'noise') });
    expectOk(await store.put('work/job_1/speech.wav', [new Uint8Array(await readFile(wav))]), 'speech');
    const answers = [[segment(0, 'Good morning.'), ...noise, segment(42, 'Good bye.')], noise.slice(0, 3)];
    await using server = await serving((_, n) => ({
      status: 200,
      body: JSON.stringify({ task: 'transcribe', language: 'english', duration: 44, text: '', segments: answers[n] }),
    }));
    const counted = new Map<string, number>();
    const task = createSubtitlesTask(endpoint(server.url), (reason, count) => void counted.set(reason, count));
    const spec = { kind: 'subtitles', speech: 'work/job_1/speech.wav', asset: 'videos/vid_1/ast_1' } as const;
    const context = {
      ...{ signal: new AbortController().signal, scratch: dir, store, log: silentLogger, inputs: [] },
      report: () => {},
    };
    const heard = expectOk(await task({ ...spec, duration_ms: 44_000, language: 'en' }, context), 'heard');
    expect(heard.outcome).toMatchObject({ kind: 'written', cues: 3 });
    const file = await readFile(store.localPath('videos/vid_1/ast_1/subtitles-en.vtt') ?? '', 'utf8');
    expect(file.match(/^[^\d\n].*$/gm)).toEqual([
      'WEBVTT',
      'Good morning.',
      'ご視聴ありがとうございました',
      'Good bye.',
    ]);
    expect(Object.fromEntries(counted)).toEqual({ 'no-speech': 1, 'repeats-itself': 2, loop: 5 });
    const nothing = expectOk(await task({ ...spec, duration_ms: 44_000, language: 'en' }, context), 'nothing');
    expect(nothing.outcome).toEqual({ kind: 'skipped', reason: 'no speech was recognised' });
  });

  it('writes the file and its segments, and skips with a reason where nothing is said', async () => {
    const store = await openFolderStore({ folder: join(dir, 'store') });
    expectOk(await store.put('work/job_1/speech.wav', [new Uint8Array(await readFile(wav))]), 'speech');
    const spec = { kind: 'subtitles', speech: 'work/job_1/speech.wav', asset: 'videos/vid_1/ast_1' } as const;
    const utterances = [
      { startMs: 1_000, endMs: 3_000, text: 'hello <world>' },
      { startMs: 30_000, endMs: 31_000, text: 'good bye' },
    ];
    const saying = (said: typeof utterances): SpeechRecogniser => ({
      name: 'test',
      transcribe: () => Promise.resolve({ ok: true, value: { kind: 'heard', language: 'en-US', utterances: said } }),
    });
    const context = {
      ...{ signal: new AbortController().signal, scratch: dir, store, log: silentLogger, inputs: [] },
      report: () => {},
    };
    const none = () => expect.unreachable('nothing is noise here');
    const task = { ...spec, duration_ms: 40_000, language: 'en-US' };
    const { outcome } = expectOk(await createSubtitlesTask(saying(utterances), none)(task, context), 'task');
    if (outcome.kind !== 'written') throw new Error(outcome.reason);
    expect(outcome).toMatchObject({ language: 'en-US', vtt: 'subtitles-en-US.vtt', cues: 2, words: 4, engine: 'test' });
    expect(outcome.segments.map(({ path, duration_ms }) => [path, duration_ms])).toEqual([
      ['subtitles-en-US/0.vtt', 24_000],
      ['subtitles-en-US/1.vtt', 16_000],
    ]);
    const file = await readFile(store.localPath('videos/vid_1/ast_1/subtitles-en-US.vtt') ?? '', 'utf8');
    expect(file).toContain('00:00:01.000 --> 00:00:03.000\nhello &lt;world&gt;');
    const silent = expectOk(await createSubtitlesTask(saying([]), none)(task, context), 'silent');
    expect(silent.outcome).toEqual({ kind: 'skipped', reason: 'no speech was recognised' });
  });
});

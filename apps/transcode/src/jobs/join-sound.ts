/** Writes the sound of a join into one track on scratch: packets that are copied, and those of spans that were encoded. */
import type { TaskFailure } from '@millrace/api';
import { writeInitSection, writePart } from '@millrace/cmaf';
import { runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import { AdtsReader } from '../core/adts-reader.ts';
import { silentFrame } from '../core/silence.ts';
import { packetSamples, planSound, type SoundPlan, type SoundSection, spansOf } from '../core/sound-plan.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { makeSpan, readSpan, type SpanJob, soundSourcesOf } from './sound-span.ts';
import { failureOfRun } from './task-failures.ts';
import { TrackFile } from './track-file.ts';

export interface SoundJob extends SpanJob {
  /** 0..1 of the sound. */
  readonly onProgress: (done: number) => void;
}

/** Writes the sound to `path`; `none`: no input has any. */
export async function joinSound(
  path: string,
  job: SoundJob,
  context: TaskContext,
): Promise<Result<'copied' | 'encoded' | 'none', TaskFailure>> {
  const sources = soundSourcesOf(job);
  const plan = planSound(sources, job.transition, job.target);
  if (plan === undefined) return ok('none');
  const spans = spansOf(plan, sources, job.spanMs);
  await using file = await TrackFile.create(path);
  const writer = new PacketWriter(file, plan, job.onProgress);
  for (const section of plan.sections) {
    if (section.kind === 'copy') {
      const copied = await copy(writer, section, job, context);
      if (!copied.ok) return copied;
      continue;
    }
    for (const span of spans.filter(({ from }) => from >= section.from && from < section.to)) {
      const made = await makeSpan(span, job, context, (doneMs) => writer.reach(doneMs));
      if (!made.ok) return made;
      const written = await readSpan(span, job, (frame) => writer.push(frame), writer.reader());
      if (!written.ok) return written;
    }
  }
  if (!(await writer.finish()))
    return err({ code: 'encoder-failed', reason: 'joining the sound: none came', retryable: true });
  return ok(spans.length > 0 ? 'encoded' : 'copied');
}

/** Copies the packets of a section; silence stands for those that are missing. */
async function copy(
  writer: PacketWriter,
  { input, first, count, silent }: Extract<SoundSection, { kind: 'copy' }>,
  job: SoundJob,
  { signal, log }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  let copied = 0;
  const source = job.sources[input];
  if (count > 0) {
    if (source?.aac === undefined) throw new Error(`expected packets of input ${input}`);
    const reader = writer.reader();
    let seen = 0;
    const run = await runFfmpeg({
      inputs: [{ kind: 'file', path: source.path, options: ['-vn', '-sn', '-dn'] }],
      args: [
        '-map',
        `0:${source.aac.stream}`,
        '-c',
        'copy',
        '-frames:a',
        String(first + count),
        '-f',
        'adts',
        'pipe:1',
      ],
      onOutput: async (bytes) => {
        for await (const piece of bytes) {
          for (const frame of reader.feed(piece)) {
            if (seen++ < first || copied >= count) continue;
            copied++;
            await writer.push(frame);
          }
        }
      },
      ...{ signal, log, limits: { threads: job.settings.threads, niceness: job.settings.niceness } },
    });
    if (!run.ok) return err(failureOfRun(run.error, 'copying the sound'));
  }
  await writer.silence(count + silent - copied);
  return ok();
}

/** Packets that are written as one fragment: about four seconds. */
const fragmentPackets = 192;

/** Writes packets one behind the other, each in the place that it comes to. */
class PacketWriter {
  readonly #file: TrackFile;
  readonly #plan: SoundPlan;
  readonly #onProgress: (done: number) => void;
  #reader: AdtsReader | undefined;
  #config: Uint8Array | undefined;
  #held: Uint8Array[] = [];
  #written = 0;

  constructor(file: TrackFile, plan: SoundPlan, onProgress: (done: number) => void) {
    this.#file = file;
    this.#plan = plan;
    this.#onProgress = onProgress;
  }

  /** A reader of packets that are given to `push`. */
  reader(): AdtsReader {
    this.#config ??= this.#reader?.config;
    this.#reader = new AdtsReader();
    return this.#reader;
  }

  /** So much of what follows what is written is made. */
  reach(ms: number): void {
    const samples = this.#written * packetSamples + (ms * this.#plan.rate) / 1_000;
    this.#onProgress(samples / this.#plan.samples);
  }

  async push(frame: Uint8Array): Promise<void> {
    this.#held.push(frame);
    if (this.#held.length === fragmentPackets) await this.#flush();
  }

  async silence(packets: number): Promise<void> {
    const frame = silentFrame({ objectType: 2, channels: this.#plan.channels });
    for (let n = 0; n < packets && frame !== undefined; n++) await this.push(frame);
  }

  /** Closes the file; false: nothing was written that says how it is to be decoded. */
  async finish(): Promise<boolean> {
    await this.#flush();
    const audioConfig = this.#config ?? this.#reader?.config;
    if (audioConfig === undefined) return false;
    const { rate: timescale, channels } = this.#plan;
    await this.#file.finish(writeInitSection({ kind: 'audio', trackId: 1, timescale, channels, audioConfig }));
    return true;
  }

  async #flush(): Promise<void> {
    if (this.#held.length === 0) return;
    const baseDts = this.#written * packetSamples;
    const samples = this.#held.map(({ length }, i) => ({
      // the last packet is no longer than the pictures
      durationTicks: Math.max(1, Math.min(packetSamples, this.#plan.samples - baseDts - i * packetSamples)),
      ...{ size: length, keyframe: true, compositionTicks: 0 },
    }));
    const part = {
      sequence: this.#written + 1,
      trackId: 1,
      baseDts,
      samples,
      payloads: this.#held,
      segmentStart: false,
    };
    await this.#file.append(writePart(part));
    this.#written += this.#held.length;
    this.#held = [];
    this.reach(0);
  }
}

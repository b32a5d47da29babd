/** Tiny videos, and the executors of a composition run on them with real ffmpeg. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultOf, SpecOf } from '@millrace/api';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import type { TaskContext } from '../core/task-executor.ts';
import { defaultEncoder } from '../jobs/encoder-settings.ts';
import { createInspectTask } from '../jobs/inspect-task.ts';
import { JoinFiles } from '../jobs/join-files.ts';
import { createJoinTask } from '../jobs/join-task.ts';
import { createNormaliseTask } from '../jobs/normalise-task.ts';
import { createSoundTask } from '../jobs/sound-task.ts';

const settings = { ...defaultEncoder, threads: 1, niceness: 0 };

/** Runs a program to its end; what it prints. */
export function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

export interface ClipShape {
  readonly seconds?: number;
  readonly size?: string;
  readonly rate?: string;
  readonly gop?: number;
  /** Hz of its tone; 0: no sound. */
  readonly tone?: number;
  readonly volumeDb?: number;
  /** Turns the colours, so that clips differ. */
  readonly hue?: number;
  /** Degrees by which a player is to turn it. */
  readonly rotate?: number;
  readonly more?: readonly string[];
}

export class JoinRig implements AsyncDisposable {
  readonly folder: string;
  readonly store: MediaStore;
  readonly files = new JoinFiles();
  readonly reports: number[] = [];
  onReport: (done: number) => void = () => {};
  #next = 0;

  private constructor(folder: string, store: MediaStore) {
    this.folder = folder;
    this.store = store;
  }

  static async open(): Promise<JoinRig> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-join-'));
    const store = await openFolderStore({ folder: join(folder, 'store') });
    return new JoinRig(folder, store);
  }

  /** Makes a clip and puts it into the store under `key`. */
  async clip(key: string, shape: ClipShape = {}): Promise<string> {
    const { seconds = 4, size = '320x180', rate = '30', gop = 30, tone = 440, volumeDb = 0, hue = 0 } = shape;
    const path = join(this.folder, `${this.#next++}.mp4`);
    run('ffmpeg', [
      ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
      ...(tone > 0 ? ['-f', 'lavfi', '-i', `sine=${tone}:r=48000:d=${seconds}`] : []),
      ...['-vf', `hue=h=${hue}`, '-c:v', 'libx264', '-preset', 'veryfast', '-g', String(gop), '-pix_fmt', 'yuv420p'],
      ...(tone > 0 ? ['-af', `volume=${volumeDb}dB`, '-ac', '2', '-c:a', 'aac'] : []),
      ...[...(shape.more ?? []), path],
    ]);
    let made = path;
    if (shape.rotate !== undefined) {
      made = `${path}.turned.mp4`;
      const turn = ['-c', 'copy', '-metadata:s:v:0', `rotate=${shape.rotate}`];
      run('ffmpeg', ['-v', 'error', '-y', '-i', path, ...turn, made]);
    }
    const kept = await this.store.putFile(key, made);
    if (!kept.ok) throw new Error(JSON.stringify(kept.error));
    return key;
  }

  inspect(source: string, trim: SpecOf<'inspect'>['trim'] = null, loudness = true): Promise<ResultOf<'inspect'>> {
    return this.#do((context) =>
      createInspectTask(settings, this.files)({ kind: 'inspect', source, trim, loudness }, context),
    );
  }

  normalise(spec: Omit<SpecOf<'normalise'>, 'kind'>, signal?: AbortSignal): Promise<ResultOf<'normalise'>> {
    const whole = { kind: 'normalise', ...spec } as const;
    return this.#do((context) => createNormaliseTask(settings, this.files)(whole, context), signal);
  }

  /** Encodes a part of the sound of a join into its folder. */
  sound(spec: Omit<SpecOf<'sound'>, 'kind'>, signal?: AbortSignal): Promise<ResultOf<'sound'>> {
    const whole = { kind: 'sound', ...spec } as const;
    return this.#do((context) => createSoundTask(settings, this.files)(whole, context), signal);
  }

  /** Joins into `videos/out`; `keep` says where what is encoded is kept, by default in the folder of a new job. */
  join(
    inputs: SpecOf<'join'>['inputs'],
    target: SpecOf<'join'>['target'],
    transition: SpecOf<'join'>['transition'] = { kind: 'cut', duration_ms: 0 },
    signal?: AbortSignal,
    keep = { work: `work/job_${this.#next++}`, span_ms: 60_000 },
  ): Promise<ResultOf<'join'>> {
    const output = { output: 'videos/out/source', asset: 'videos/out/a' };
    const spec = { kind: 'join', inputs, target, transition, keep, ...output } as const;
    return this.#do((context) => createJoinTask(settings, this.files)(spec, context), signal);
  }

  path(key: string): string {
    const path = this.store.localPath(key);
    if (path === undefined) throw new Error(`expected a key, got ${key}`);
    return path;
  }

  /** What executors left in their folders. */
  get scratch(): readonly string[] {
    return readdirSync(this.folder).filter((name) => name.startsWith('scratch'));
  }

  async #do<T>(
    work: (context: TaskContext) => Promise<{ ok: true; value: T } | { ok: false; error: unknown }>,
    signal = new AbortController().signal,
  ): Promise<T> {
    const scratch = join(this.folder, `scratch-${this.#next++}`);
    await mkdir(scratch);
    try {
      const result = await work({
        ...{ signal, scratch, store: this.store, log: silentLogger, inputs: [] },
        report: (done) => {
          this.reports.push(done);
          this.onReport(done);
        },
      });
      if (!result.ok) throw new Error(JSON.stringify(result.error));
      return result.value;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Decodes a whole file; what ffmpeg had to say about it. */
export function decodeWords(path: string): string {
  return run('sh', ['-c', 'ffmpeg -v warning -i "$0" -f null - 2>&1', path]);
}

/** Packet times of a stream in the order of the file, s. */
export function packetsOf(path: string, stream: string): { readonly pts: number; readonly dts: number }[] {
  const shown = ['-select_streams', stream, '-show_entries', 'packet=pts_time,dts_time', '-of', 'csv=p=0'];
  return run('ffprobe', ['-v', 'error', ...shown, path])
    .trim()
    .split('\n')
    .map((line) => {
      const [pts, dts] = line.split(',').map(Number);
      return { pts: pts ?? Number.NaN, dts: dts ?? Number.NaN };
    });
}

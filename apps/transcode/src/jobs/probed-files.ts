import { type FfmpegFailure, type ProbedFile, type ProbeOptions, probeFile } from '@millrace/ffmpeg';
import type { Result } from '@millrace/result';
import { markOf } from './file-mark.ts';

/** Files that are remembered: those of the jobs that a worker has tasks of. */
const most = 32;

/**
 * Facts of files that one task after the other opens: a video has as many tasks as it has spans, and a start of ffprobe each time is a
 * good part of a short one. A file that was written since is another file.
 */
export class ProbedFiles {
  readonly #known = new Map<string, ProbedFile>();

  async probe(path: string, options: ProbeOptions): Promise<Result<ProbedFile, FfmpegFailure>> {
    const mark = await markOf(path);
    const known = mark === undefined ? undefined : this.#known.get(mark);
    if (known !== undefined) return { ok: true, value: known };
    const probed = await probeFile(path, options);
    if (!probed.ok || mark === undefined) return probed;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= most && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(mark, probed.value);
    return probed;
  }
}

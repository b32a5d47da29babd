import { stat } from 'node:fs/promises';
import { type FfmpegFailure, type ProbedFile, type ProbeOptions, probeFile } from '@millrace/ffmpeg';
import type { Result } from '@millrace/result';

/** Files that are remembered: those of the jobs that a worker has tasks of. */
const most = 32;

/**
 * Facts of files that one task after the other opens: a video has as many tasks as it has spans, and a start of ffprobe each time is a
 * good part of a short one. A file that was written since is another file.
 */
export class ProbedFiles {
  readonly #known = new Map<string, ProbedFile>();

  async probe(path: string, options: ProbeOptions): Promise<Result<ProbedFile, FfmpegFailure>> {
    const key = await stat(path, { bigint: true }).then(
      ({ dev, ino, size, mtimeNs }) => `${dev} ${ino} ${size} ${mtimeNs} ${path}`,
      () => undefined, // ffprobe says better what is wrong with it
    );
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return { ok: true, value: known };
    const probed = await probeFile(path, options);
    if (!probed.ok || key === undefined) return probed;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= most && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, probed.value);
    return probed;
  }
}

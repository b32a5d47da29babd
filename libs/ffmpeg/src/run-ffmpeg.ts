import type { Logger } from '@millrace/log';
import type { Result } from '@millrace/result';
import { type FfmpegInput, inputArgs } from './ffmpeg-input.ts';
import { ProgressReader } from './progress-reader.ts';
import { type FfmpegEnd, type FfmpegFailure, superviseRun } from './supervised-run.ts';

/** What one run may take. What is absent takes the default. */
export interface FfmpegLimits {
  /** Threads of each decoder, filter graph and encoder; default 0: as many as ffmpeg finds right. */
  readonly threads?: number;
  /** 0..19, default 10: a run yields to what serves viewers. */
  readonly niceness?: number;
  /** Longest that a run may go without getting further, ms; default 120 000. */
  readonly stallMs?: number;
  /** Longest that a run may last, ms; default 12 h. */
  readonly totalMs?: number;
  /** Pixels of a decoded picture; default 8192 x 4320. A small file can hold a huge picture. */
  readonly maxPixels?: number;
}

export interface FfmpegRun {
  /** Opened under guard, in the order that `-map` counts. */
  readonly inputs: readonly FfmpegInput[];
  /** Everything behind the inputs: filters, maps, codecs, and the outputs' files or `pipe:1`. */
  readonly args: readonly string[];
  /** Ends the whole process group; the call then rejects with the signal's reason, once nothing of it runs any more. */
  readonly signal: AbortSignal;
  /** How much of the output is written, ms of its timeline and pictures; at most four times a second, never falling. */
  readonly onProgress?: (outTimeMs: number, frames: number) => void;
  /** Reads what goes to `pipe:1`. When it rejects, the run is ended and the call rejects with the same. */
  readonly onOutput?: (bytes: AsyncIterable<Uint8Array>) => Promise<void>;
  readonly limits?: FfmpegLimits;
  readonly log: Logger;
  /** Name or path of the program; default `ffmpeg`. */
  readonly program?: string;
}

/** Runs ffmpeg to its end. Rejects only when aborted, or when `onOutput` rejected. */
export async function runFfmpeg(run: FfmpegRun): Promise<Result<FfmpegEnd, FfmpegFailure>> {
  const { stallMs = 120_000, totalMs = 12 * 3_600_000, niceness = 10 } = run.limits ?? {};
  let further = () => {};
  const progress = new ProgressReader((outTimeMs, frames) => {
    further();
    run.onProgress?.(outTimeMs, frames);
  });
  return superviseRun({
    program: run.program ?? 'ffmpeg',
    args: argsOf(run),
    niceness,
    stallMs,
    totalMs,
    signal: run.signal,
    onOutput: run.onOutput,
    onThird: (text, putOff) => {
      further = putOff;
      progress.feed(text);
    },
    paths: pathsOf(run),
    log: run.log,
  });
}

/** The whole command line. */
function argsOf(run: FfmpegRun): readonly string[] {
  const threads = String(run.limits?.threads ?? 0);
  const maxPixels = String(run.limits?.maxPixels ?? 8192 * 4320);
  const decoding = ['-threads', threads, '-max_pixels', maxPixels];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-y', '-loglevel', 'level+warning'],
    ...['-progress', 'pipe:3', '-stats_period', '0.25', '-filter_threads', threads, '-filter_complex_threads', threads],
    ...run.inputs.flatMap((input) => [...decoding, ...inputArgs(input)]),
    ...run.args,
  ];
}

function pathsOf(run: FfmpegRun): readonly string[] {
  const files = run.inputs.flatMap((input) => (input.kind === 'graph' ? [] : [input.path]));
  return [...files, ...run.args.filter((arg) => arg.startsWith('/'))];
}

import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import { fileUrl, guards, mediaFormats } from './ffmpeg-input.ts';
import { type ProbedFile, probedEntries, readProbe } from './probe-answer.ts';
import { type FfmpegFailure, superviseRun } from './supervised-run.ts';

export interface ProbeOptions {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Demuxers that may read it; default `mediaFormats`. A file that any other would read is refused. */
  readonly formats?: readonly string[];
  /** Name or path of the program; default `ffprobe`. */
  readonly program?: string;
  /** Longest that it may last, ms; default 60 000. */
  readonly totalMs?: number;
}

const longestAnswer = 1024 * 1024;

/** The facts of a file: what its header says, so it is quick for a file of any length. */
export async function probeFile(path: string, options: ProbeOptions): Promise<Result<ProbedFile, FfmpegFailure>> {
  let text = '';
  const args = [...opening(options), '-show_entries', probedEntries, '-of', 'json=compact=1'];
  const run = await probe(path, options, [...args, fileUrl(path)], options.totalMs ?? 60_000, async (bytes) => {
    const decoder = new TextDecoder();
    for await (const piece of bytes) {
      if (text.length < longestAnswer) text += decoder.decode(piece, { stream: true });
    }
  });
  if (!run.ok) return run;
  const probed = readProbe(text);
  if (probed !== undefined) return ok(probed);
  return err({ kind: 'failed', code: 0, reason: 'expected facts of a media file, got none' });
}

/** A packet as it stands in the file. */
export interface ProbedPacket {
  /** Index of its stream. */
  readonly index: number;
  /** Presentation time, ms; where the file has none (AVI), the decode time; undefined when it has neither. */
  readonly ptsMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly keyframe: boolean;
}

/** Hands every packet of the file to `onPacket`, in the file's order: the whole file goes by, nothing is decoded. */
export async function readPackets(
  path: string,
  onPacket: (packet: ProbedPacket) => void,
  options: ProbeOptions,
): Promise<Result<void, FfmpegFailure>> {
  const shown = ['-show_entries', 'packet=stream_index,pts_time,dts_time,duration_time,flags'];
  const args = [...opening(options), ...shown, '-of', 'csv=print_section=0', fileUrl(path)];
  const run = await probe(path, options, args, options.totalMs ?? 3_600_000, async (bytes) => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of bytes) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = (lines.pop() ?? '').slice(-longestLine);
      for (const line of lines) {
        const packet = readPacket(line);
        if (packet !== undefined) onPacket(packet);
      }
    }
  });
  return run.ok ? ok() : run;
}

const longestLine = 256;

/** `0,0.066667,0.033333,0.033333,K_`, with `N/A` for what is missing. */
function readPacket(line: string): ProbedPacket | undefined {
  const [index, pts, dts, duration, flags] = line.split(',');
  if (flags === undefined) return undefined;
  return {
    index: Number(index),
    ptsMs: seconds(pts) ?? seconds(dts),
    durationMs: seconds(duration),
    keyframe: flags.startsWith('K'),
  };
}

function seconds(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text) * 1_000;
  return Number.isFinite(value) ? value : undefined;
}

function opening(options: ProbeOptions): readonly string[] {
  return ['-hide_banner', '-loglevel', 'error', ...guards(options.formats ?? mediaFormats)];
}

function probe(
  path: string,
  options: ProbeOptions,
  args: readonly string[],
  totalMs: number,
  onOutput: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): ReturnType<typeof superviseRun> {
  return superviseRun({
    program: options.program ?? 'ffprobe',
    args,
    niceness: 5,
    stallMs: totalMs,
    totalMs,
    signal: options.signal,
    onOutput,
    onThird: () => {},
    paths: [path],
    log: options.log,
  });
}
